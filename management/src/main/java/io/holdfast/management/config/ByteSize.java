package io.holdfast.management.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 512}, {@code 64M}, {@code 2G}, {@code 1.5T}, {@code 10GiB}; powers of 1024, as for
 * qemu-img. {@code 10GB} is refused: it is 10^10 bytes for truncate(1) and dd(1), and 10 * 2^30 for others, and a disk of the
 * wrong size is noticed late.
 */
public final class ByteSize {
    private static final Pattern FORM = Pattern.compile("(\\d{1,15})(?:\\.(\\d{1,3}))?\\s*(?:([KMGTP])(IB|B)?)?");
    private static final String UNITS = " KMGTP";

    private ByteSize() {}

    /** In bytes. */
    public static long parse(String text) throws ConfigException {
        Matcher form = FORM.matcher(text.trim().toUpperCase(Locale.ROOT));
        if (!form.matches()) {
            throw new ConfigException("size '" + text + "' is not a number of bytes, such as 1048576, 64M or 2G");
        }
        if ("B".equals(form.group(4))) {
            String number = text.trim().replaceFirst("[A-Za-z]+$", "");
            throw new ConfigException("size '" + text + "' may mean powers of 1000 or of 1024; write " + number
                    + form.group(3) + " for powers of 1024, or the number of bytes");
        }
        int shift = form.group(3) == null ? 0 : 10 * UNITS.indexOf(form.group(3));
        String fraction = form.group(2) == null ? "0" : form.group(2);
        double value = Double.parseDouble(form.group(1) + "." + fraction) * Math.pow(2, shift);
        if (value < 1 || value > Long.MAX_VALUE / 2.0) {
            throw new ConfigException("size '" + text + "' is not between 1 byte and 4096P");
        }
        return fraction.equals("0") ? Long.parseLong(form.group(1)) << shift : (long) value;
    }

    /** For people: {@code 128 MiB}, {@code 1.5 GiB}, {@code 512 B}. */
    public static String print(long bytes) {
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < UNITS.length() - 1) {
            value /= 1024;
            unit++;
        }
        String number = value == Math.rint(value) ? Long.toString((long) value) : String.format("%.1f", value);
        return unit == 0 ? bytes + " B" : number + " " + UNITS.charAt(unit) + "iB";
    }
}
