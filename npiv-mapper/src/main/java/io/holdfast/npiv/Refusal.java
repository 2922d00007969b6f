package io.holdfast.npiv;

import java.util.List;

/** Why a command was not carried out. Each names the value it is about; {@link #message()} says what to do. */
public sealed interface Refusal {

    /** One line for people: what was wrong, and what to do. */
    String message();

    /** A value that is not allowed here. */
    record BadValue(String what, String value, String allowed) implements Refusal {
        @Override
        public String message() {
            return what + " '" + value + "' is not allowed: " + allowed;
        }
    }

    /** A name that is none; the position counts from 0. */
    record Malformed(String text, int position, String message) implements Refusal {}

    record Unknown(String kind, String name) implements Refusal {
        @Override
        public String message() {
            return "there is no " + kind + " " + name;
        }
    }

    /** An object of this kind and name is there already. */
    record Exists(String object) implements Refusal {
        @Override
        public String message() {
            return object + " exists already";
        }
    }

    /** It cannot go while others need it. */
    record InUse(String object, List<String> users) implements Refusal {
        private static final int NAMED = 5;

        public InUse {
            users = List.copyOf(users);
        }

        @Override
        public String message() {
            String some = String.join(", ", users.subList(0, Math.min(NAMED, users.size())));
            String more = users.size() > NAMED ? " and " + (users.size() - NAMED) + " more" : "";
            return object + " is in use by " + some + more;
        }
    }

    /** Two pools must not be able to issue the same name. */
    record PrefixTaken(String prefix, String otherPrefix, String by) implements Refusal {
        @Override
        public String message() {
            return "prefix " + prefix + " overlaps prefix " + otherPrefix + " of " + by
                    + ": both could issue the same name; choose another";
        }
    }

    record PoolExhausted(String pool, String prefix, long pairs) implements Refusal {
        @Override
        public String message() {
            return "pool " + pool + " is exhausted: all " + pairs + " pairs of prefix " + prefix
                    + " have been issued, and none is ever issued again; create a pool with another prefix";
        }
    }

    /** Pairing is one to one. */
    record AlreadyPaired(String adapter, String with) implements Refusal {
        @Override
        public String message() {
            return adapter + " is paired with " + with + " already; unpair them first";
        }
    }

    record PortFull(String port, int capacity) implements Refusal {
        @Override
        public String message() {
            return "port " + port + " carries " + capacity
                    + " server adapters, as many as it can; assign to another port";
        }
    }

    record LuIsPrivate(String lu, String owner) implements Refusal {
        @Override
        public String message() {
            return "LU " + lu + " is private and mapped to " + owner + "; declare it shared, or unmap it there";
        }
    }

    /** It cannot be declared private as long as several have it. */
    record LuIsShared(String lu, List<String> clients) implements Refusal {
        public LuIsShared {
            clients = List.copyOf(clients);
        }

        @Override
        public String message() {
            return "LU " + lu + " is mapped to " + clients.size() + " clients (" + String.join(", ", clients)
                    + "); unmap it from all but one";
        }
    }

    record LunTaken(String client, int lun, String lu) implements Refusal {
        @Override
        public String message() {
            return "LUN " + lun + " of " + client + " is LU " + lu + "; choose another number";
        }
    }

    record AlreadyMapped(String client, String lu, int lun) implements Refusal {
        @Override
        public String message() {
            return "LU " + lu + " is mapped to " + client + " already, as LUN " + lun;
        }
    }

    record NotMapped(String client, int lun) implements Refusal {
        @Override
        public String message() {
            return client + " has no LUN " + lun;
        }
    }

    record MigrationUnderWay(String client) implements Refusal {
        @Override
        public String message() {
            return client + " is being moved; hand over or cancel first";
        }
    }

    record NoMigration(String client) implements Refusal {
        @Override
        public String message() {
            return client + " is not being moved; prepare the migration first";
        }
    }

    /** The usual mistake before a live migration. */
    record StandbyNotZoned(String adapter, String wwpn, String port) implements Refusal {
        @Override
        public String message() {
            return "the other name of " + adapter + ", " + wwpn + ", may not log in at port " + port
                    + ": put both names of the pair into the zone";
        }
    }

    record LimitReached(String what, int limit) implements Refusal {
        @Override
        public String message() {
            return "no more than " + limit + " " + what;
        }
    }

    /** Somebody else was faster. */
    record Stale(String object, long changedIn, long basis) implements Refusal {
        @Override
        public String message() {
            return object + " was changed in version " + changedIn + ", after version " + basis
                    + " which this change is based on; look again";
        }
    }

    /** A change based on a version that has not been yet. */
    record UnknownVersion(long basis, long version) implements Refusal {
        @Override
        public String message() {
            return "this change is based on version " + basis + ", but the latest is " + version + "; look again";
        }
    }

    /** What was to be restored contradicts itself. */
    record BadState(List<String> problems) implements Refusal {
        public BadState {
            problems = List.copyOf(problems);
        }

        @Override
        public String message() {
            return "the state contradicts itself: " + String.join("; ", problems);
        }
    }
}
