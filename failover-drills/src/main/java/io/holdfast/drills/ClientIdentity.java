package io.holdfast.drills;

import java.nio.file.Path;

/**
 * Who a guest is for the server.
 *
 * @param client its name, and its CHAP user
 * @param initiator its initiator name, {@code naa.WWPN}
 * @param target its own target
 * @param secret the file that holds its CHAP secret
 */
record ClientIdentity(String client, String initiator, String target, Path secret) {

    /** QEMU's block node of its LU 0, but for the secret. */
    String blockNode(int portal) {
        return blockNode(portal, "");
    }

    /** The same with another prefix for each key, as in image options. */
    String blockNode(int portal, String prefix) {
        return prefix + "driver=iscsi," + prefix + "transport=tcp," + prefix + "portal=127.0.0.1:" + portal + ","
                + prefix + "target=" + target + "," + prefix + "lun=0," + prefix + "initiator-name=" + initiator + ","
                + prefix + "user=" + client;
    }

    /** It says that it is somebody else. */
    ClientIdentity called(String otherInitiator) {
        return new ClientIdentity(client, otherInitiator, target, secret);
    }

    /** It asks for another target. */
    ClientIdentity at(String otherTarget) {
        return new ClientIdentity(client, initiator, otherTarget, secret);
    }
}
