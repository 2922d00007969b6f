package io.holdfast.control.operator;

import io.holdfast.npiv.ClientKind;
import io.holdfast.npiv.DefaultZone;
import io.holdfast.npiv.MapAccess;
import io.holdfast.npiv.Sharing;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that changes something, each one transaction: carried out whole and durable, or not at all. Texts name
 * objects as people do: a client by name or id, an adapter as {@code V3-C1} or {@code vfchost0}.
 */
public sealed interface OperatorCommand extends OperatorRequest {

    // ------------------------------------------------------------------ logical units and where they lie

    record CreatePool(
            @Param(value = "The pool's name.", label = "NAME", place = 1)
            String name,

            @Param(value = "A directory of the server that holds the images.", label = "DIR", place = 2)
            String directory)
            implements OperatorCommand {}

    record RemovePool(
            @Param(value = "The pool.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}

    record CreateLu(
            @Param(value = "The LU's name.", label = "NAME", place = 1)
            String name,

            @Param(
                    value = "Its size; left out, that of the image which is there.",
                    label = "SIZE",
                    place = 2,
                    form = Param.Form.SIZE,
                    min = 512,
                    max = 1L << 60)
            @Nullable
            Long size,

            @Param(value = "The pool it is made in. Left out: the only one there is.", label = "POOL") @Nullable
            String pool,

            @Param(
                    value = "An image or block device that is there, or the image to make, outside of pools.",
                    label = "PATH")
            @Nullable
            String path,

            @Param(value = "Whether several clients may have it: private or shared. Default: private.", label = "WHO")
            @Nullable
            Sharing sharing,

            @Param("Clients cannot write to it.") boolean readOnly,

            @Param("Every write is durable before it is answered.")
            boolean writeThrough,

            @Param(
                    value = "Bytes of a logical block, 512 or 4096. Default: 512.",
                    label = "BYTES",
                    min = 512,
                    max = 4096)
            @Nullable
            Integer blockSize,

            @Param("Past the host's page cache.") boolean direct,

            @Param("All its blocks are taken now.") boolean preallocate)
            implements OperatorCommand {}

    record ResizeLu(
            @Param(value = "The LU.", label = "NAME", place = 1)
            String name,

            @Param(
                    value = "Its new size. It cannot become smaller.",
                    label = "SIZE",
                    place = 2,
                    form = Param.Form.SIZE,
                    min = 512,
                    max = 1L << 60)
            long size)
            implements OperatorCommand {}

    record DeclareLu(
            @Param(value = "The LU.", label = "NAME", place = 1)
            String name,

            @Param(value = "private or shared.", label = "WHO", place = 2)
            Sharing sharing)
            implements OperatorCommand {}

    record RemoveLu(
            @Param(value = "The LU; no client may have it.", label = "NAME", place = 1)
            String name,

            @Param("Deletes the image too. Without, it stays where it is.")
            boolean deleteImage)
            implements OperatorCommand {}

    // ------------------------------------------------------------------ who

    record AddClient(
            @Param(value = "The client's name.", label = "NAME", place = 1)
            String name,

            @Param(value = "vm, container or process-group. Default: vm.", label = "KIND") @Nullable
            ClientKind kind,

            @Param(value = "Where its port names come from. Left out: the only pool there is.", label = "POOL")
            @Nullable
            String wwpnPool,

            @Param(value = "The port it logs in at. Left out: the one with the most room.", label = "PORT") @Nullable
            String port,

            @Param(value = "Its CHAP secret, 12 to 255 bytes.", label = "FILE", form = Param.Form.SECRET) @Nullable
            String secret,

            @Param("Only the client; its adapters are added by 'adapter add'.")
            boolean bare)
            implements OperatorCommand {
        @Override
        public String toString() {
            return "AddClient[name=" + name + ", kind=" + kind + ", wwpnPool=" + wwpnPool + ", port=" + port + "]";
        }
    }

    record RenameClient(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param(value = "Its new name.", label = "NAME", place = 2)
            String name)
            implements OperatorCommand {}

    record SetSecret(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param(
                    value = "Its CHAP secret, 12 to 255 bytes. Left out: it needs none any more.",
                    label = "FILE",
                    form = Param.Form.SECRET)
            @Nullable
            String secret)
            implements OperatorCommand {
        @Override
        public String toString() {
            return "SetSecret[client=" + client + "]";
        }
    }

    record RemoveClient(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param("Also unmaps its LUs and removes its adapters, in the same step.")
            boolean all)
            implements OperatorCommand {}

    record MigrateClient(
            @Param(value = "The client that moves to another machine.", label = "CLIENT", place = 1)
            String client,

            @Param(value = "prepare, hand-over or cancel.", label = "STEP", place = 2)
            Step step)
            implements OperatorCommand {
        /** For the states see {@link io.holdfast.npiv.Migration}. */
        public enum Step {
            PREPARE,
            HAND_OVER,
            CANCEL
        }
    }

    record AddAdapter(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param(value = "Where its port names come from. Left out: the only pool there is.", label = "POOL")
            @Nullable
            String wwpnPool,

            @Param(value = "Its slot. Left out: the next.", label = "N", min = 1, max = 65_535) @Nullable
            Integer slot,

            @Param(value = "The port it logs in at. Left out: the one with the most room.", label = "PORT") @Nullable
            String port)
            implements OperatorCommand {}

    record RemoveAdapter(
            @Param(value = "The adapter, V3-C1 or vfchost0.", label = "ADAPTER", place = 1)
            String adapter) implements OperatorCommand {}

    record BindInitiator(
            @Param(value = "An iqn. name.", label = "IQN", place = 1)
            String initiator,

            @Param(value = "The port name that it stands for.", label = "WWPN", place = 2)
            String wwpn)
            implements OperatorCommand {}

    record UnbindInitiator(
            @Param(value = "The iqn. name.", label = "IQN", place = 1)
            String initiator) implements OperatorCommand {}

    // ------------------------------------------------------------------ where

    record CreateWwpnPool(
            @Param(value = "The pool's name.", label = "NAME", place = 1)
            String name,

            @Param(
                    value =
                            "4 to 15 hexadecimal digits that its port names begin with. Left out: locally assigned ones.",
                    label = "PREFIX",
                    place = 2)
            @Nullable
            String prefix)
            implements OperatorCommand {}

    record RemoveWwpnPool(
            @Param(value = "The pool; none of its names may be in use.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}

    record AddPort(
            @Param(value = "The port's name.", label = "NAME", place = 1)
            String name,

            @Param(value = "The portal's address, as 'serve --listen' has it.", label = "ADDRESS:PORT", place = 2)
            String location,

            @Param(value = "How many adapters it carries. Default: 4096.", label = "N", min = 1, max = 4096) @Nullable
            Integer capacity)
            implements OperatorCommand {}

    record ResizePort(
            @Param(value = "The port.", label = "NAME", place = 1)
            String name,

            @Param(value = "How many adapters it carries.", label = "N", place = 2, min = 1, max = 4096)
            int capacity)
            implements OperatorCommand {}

    record RemovePort(
            @Param(value = "The port; it may carry no adapter.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}

    record AssignPort(
            @Param(value = "The server adapter, vfchost0.", label = "VADAPTER")
            String vadapter,

            @Param(value = "The port. Empty or left out takes the adapter off its port.", label = "PORT") @Nullable
            String fcp)
            implements OperatorCommand {}

    record SetZone(
            @Param(value = "The zone's name; one that is there is replaced whole.", label = "NAME", place = 1)
            String name,

            @Param(value = "Port names in it; of a client that is to be moved, both.", label = "WWPN")
            List<String> members,

            @Param(value = "Ports in it.", label = "PORT") List<String> ports)
            implements OperatorCommand {
        public SetZone {
            members = List.copyOf(members);
            ports = List.copyOf(ports);
        }
    }

    record RemoveZone(
            @Param(value = "The zone.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}

    record SetDefaultZone(
            @Param(value = "Where port names in no zone may log in: open or closed.", label = "STATE", place = 1)
            DefaultZone others)
            implements OperatorCommand {}

    // ------------------------------------------------------------------ what

    record MapLu(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param(value = "The LU it is to see.", label = "LU", place = 2)
            String lu,

            @Param(value = "Its number. Left out: the next that the client never had.", label = "N", max = 16_383)
            @Nullable
            Integer lun,

            @Param(value = "read-write or read-only. Default: read-write.", label = "ACCESS") @Nullable
            MapAccess access)
            implements OperatorCommand {}

    record UnmapLu(
            @Param(value = "The client.", label = "CLIENT", place = 1)
            String client,

            @Param(value = "The LU it is not to see any more.", label = "LU", place = 2)
            String lu)
            implements OperatorCommand {}

    // ------------------------------------------------------------------ what to do about events; who may ask

    record SetActions(
            @Param(value = "The VM, by its name at its agent.", label = "VM", place = 1)
            String vm,

            @Param(
                    value =
                            "What is to be done by event, a JSON object such as {\"server-crash\":\"leave\"}; it replaces what was"
                                    + " registered before.",
                    label = "JSON",
                    place = 2,
                    form = Param.Form.JSON)
            String actions)
            implements OperatorCommand {}

    record ForgetActions(
            @Param(value = "The VM, by its name at its agent.", label = "VM", place = 1)
            String vm) implements OperatorCommand {}

    record RaiseEvent(
            @Param(
                    value = "The event: a name of your own that begins with x-, such as x-maintenance.",
                    label = "NAME",
                    place = 1)
            String name,

            @Param(value = "Why, for people.", label = "TEXT") @Nullable
            String detail,

            @Param(value = "Only for VMs with a disk at this target. Left out: for all.", label = "TARGET") @Nullable
            String target)
            implements OperatorCommand {}

    record ClearEvent(
            @Param(value = "The event.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}

    record CreateToken(
            @Param(value = "A name for whoever will use it.", label = "NAME", place = 1)
            String name,

            @Param(value = "observer, operator or admin. Default: observer.", label = "ROLE") @Nullable
            Role role,

            @Param(value = "After how many days it ends. Left out: never.", label = "DAYS", min = 1, max = 36_500)
            @Nullable
            Integer days)
            implements OperatorCommand {}

    record RemoveToken(
            @Param(value = "The token's name.", label = "NAME", place = 1)
            String name) implements OperatorCommand {}
}
