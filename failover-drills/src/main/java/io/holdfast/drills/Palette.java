package io.holdfast.drills;

/** Colours for a terminal, or none. */
enum Palette {
    PLAIN {
        @Override
        String paint(String code, String text) {
            return text;
        }
    },
    COLOURED {
        @Override
        String paint(String code, String text) {
            return text.isEmpty() ? text : "\u001b[" + code + "m" + text + "\u001b[0m";
        }
    };

    /** Wraps {@code text} in an SGR sequence (ECMA-48 §8.3.117). */
    abstract String paint(String code, String text);

    String bold(String text) {
        return paint("1", text);
    }

    String dim(String text) {
        return paint("2", text);
    }

    String good(String text) {
        return paint("32", text);
    }

    String bad(String text) {
        return paint("31", text);
    }

    String tone(Timeline.Tone tone, String text) {
        return switch (tone) {
            case LOSS -> paint("31", text);
            case SHELTER -> paint("36", text);
            case RETURN -> paint("32", text);
            case NOTE -> paint("2", text);
        };
    }
}
