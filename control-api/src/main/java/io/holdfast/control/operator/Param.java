package io.holdfast.control.operator;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * What a component of a request means. Its name is the field's in JSON and the option's on the command line; whether it
 * must be given follows from its type ({@code @Nullable} need not).
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Param {
    /** For people, a sentence. */
    String value();

    /** What stands for the value in help texts. */
    String label() default "";

    /** Its place among the words after the command, from 1; 0 makes it an option. */
    int place() default 0;

    /** How people write it. */
    Form form() default Form.PLAIN;

    /** The smallest number, where it is one. */
    long min() default 0;

    /** The largest number, where it is one. */
    long max() default Integer.MAX_VALUE;

    /** How people write a value. */
    enum Form {
        PLAIN,
        /** Bytes; on the command line {@code 20G} and the like. */
        SIZE,
        /** Read from a file or standard input, so that it stands in no list of processes. */
        SECRET,
        /** JSON, kept as it is. */
        JSON
    }
}
