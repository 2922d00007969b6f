package io.holdfast.npiv;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The server's end of one client adapter, a target of its own: {@code vfchost0}. It exists as long as the pairing does,
 * so that the two are one to one by construction.
 *
 * @param number 0 to {@value #MAX_NUMBER}
 * @param client the adapter it is paired with
 * @param port the physical port it is assigned to, null for none: then nobody reaches it
 * @param revision the fabric's version that last changed it
 */
public record ServerAdapter(
        int number, AdapterId client, @Nullable String port, long revision) implements FabricObject {
    public static final int MAX_NUMBER = 65_535;

    private static final String NAME = "vfchost";
    private static final Pattern FORM = Pattern.compile(NAME + "(0|[1-9][0-9]{0,4})");

    /**
     * The number in a name.
     *
     * @throws NameFormatException unless it is {@code vfchostN}
     */
    public static int parse(String name) {
        Matcher form = FORM.matcher(name.toLowerCase(Locale.ROOT));
        if (!form.matches() || Integer.parseInt(form.group(1)) > MAX_NUMBER) {
            throw new NameFormatException("a server adapter", name, 0, "there may be vfchost0 to vfchost" + MAX_NUMBER);
        }
        return Integer.parseInt(form.group(1));
    }

    static String name(int number) {
        return NAME + number;
    }

    public String name() {
        return name(number);
    }

    ServerAdapter assigned(@Nullable String toPort, long version) {
        return new ServerAdapter(number, client, toPort, version);
    }

    @Override
    public String label() {
        return name();
    }

    @Override
    public ServerAdapter stamped(long version) {
        return new ServerAdapter(number, client, port, version);
    }
}
