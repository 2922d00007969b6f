package io.holdfast.management;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every relative link of the project's pages leads to a file that is there, and to a heading of it. */
class DocumentLinksTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern CODE = Pattern.compile("^```.*?^```", Pattern.MULTILINE | Pattern.DOTALL);
    private static final Pattern LINK = Pattern.compile("\\[([^\\]]*)\\]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
    private static final Pattern DECISION = Pattern.compile("(?i)decision (\\d+)");

    @Test
    void shouldLeadSomewhere() throws IOException {
        List<String> broken = new ArrayList<>();
        List<Path> pages = pages();
        for (Path page : pages) {
            for (MatchResult link : LINK.matcher(text(page)).results().toList()) {
                String complaint = complaint(page, link.group(1), link.group(2));
                if (!complaint.isEmpty()) {
                    broken.add(ROOT.relativize(page) + ": [" + link.group(1) + "](" + link.group(2) + ") " + complaint);
                }
            }
        }
        assertThat(pages).hasSizeGreaterThan(20);
        assertThat(broken).isEmpty();
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>();
        for (String folder : List.of("", "docs", "docs/reference", "docs/decisions", "test-images")) {
            try (Stream<Path> files = Files.list(ROOT.resolve(folder))) {
                files.filter(file -> file.toString().endsWith(".md")).forEach(pages::add);
            }
        }
        return pages;
    }

    private static String text(Path page) throws IOException {
        return CODE.matcher(Files.readString(page)).replaceAll("");
    }

    private static String complaint(Path page, String words, String target) throws IOException {
        if (target.contains("://")) {
            return "";
        }
        String path = target.replaceFirst("#.*", "");
        Path folder = page.resolveSibling("");
        Path file = path.isEmpty() ? page : folder.resolve(path);
        if (!Files.exists(file)) {
            return "is not there";
        }
        if (target.contains("#") && !anchors(file).contains(target.replaceFirst(".*#", ""))) {
            return "has no such heading";
        }
        List<MatchResult> numbers = DECISION.matcher(words).results().toList();
        boolean right = numbers.isEmpty()
                || path.contains(String.format(
                        Locale.ROOT, "%04d-", Integer.parseInt(numbers.get(0).group(1))));
        return right ? "" : "is another decision";
    }

    /** As forges make them of headings. */
    private static List<String> anchors(Path page) throws IOException {
        return HEADING.matcher(text(page))
                .results()
                .map(heading -> heading.group(1)
                        .toLowerCase(Locale.ROOT)
                        .replaceAll("[^\\w\\- ]", "")
                        .replace(' ', '-'))
                .toList();
    }
}
