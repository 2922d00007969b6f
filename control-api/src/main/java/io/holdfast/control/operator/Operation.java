package io.holdfast.control.operator;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The table of what an operator may ask. From a row follow the HTTP route, the OpenAPI description, the command line, the
 * reference pages; who may ask it; and what comes back.
 *
 * <p>Words are the command line's; a name in braces in the path is a component of the request.
 */
public enum Operation {
    STATUS(
            "status",
            Verb.GET,
            "/v1/status",
            Role.OBSERVER,
            OperatorQuery.Status.class,
            Row.StatusRow.class,
            "How the server is."),

    LU_CREATE(
            "lu create",
            Verb.POST,
            "/v1/lus",
            Role.OPERATOR,
            OperatorCommand.CreateLu.class,
            Row.LuRow.class,
            "Creates an LU: in a pool, or (as admin) of any image or device of the host."),
    LU_LIST(
            "lu list",
            Verb.GET,
            "/v1/lus",
            Role.OBSERVER,
            OperatorQuery.ListLus.class,
            Row.LuRow.class,
            "Lists the LUs."),
    LU_SHOW(
            "lu show",
            Verb.GET,
            "/v1/lus/{name}",
            Role.OBSERVER,
            OperatorQuery.ShowLu.class,
            Row.LuRow.class,
            "Shows an LU."),
    LU_RESIZE(
            "lu resize",
            Verb.POST,
            "/v1/lus/{name}/resize",
            Role.OPERATOR,
            OperatorCommand.ResizeLu.class,
            Row.LuRow.class,
            "Makes an LU larger while it is in use."),
    LU_DECLARE(
            "lu declare",
            Verb.POST,
            "/v1/lus/{name}/declare",
            Role.OPERATOR,
            OperatorCommand.DeclareLu.class,
            Row.LuRow.class,
            "Declares an LU private or shared."),
    LU_REMOVE(
            "lu remove",
            Verb.DELETE,
            "/v1/lus/{name}",
            Role.OPERATOR,
            OperatorCommand.RemoveLu.class,
            Row.LuRow.class,
            "Removes an LU."),

    CLIENT_ADD(
            "client add",
            Verb.POST,
            "/v1/clients",
            Role.OPERATOR,
            OperatorCommand.AddClient.class,
            Row.ClientRow.class,
            "Adds a client with an adapter, a pair of port names and a target of its own."),
    CLIENT_LIST(
            "client list",
            Verb.GET,
            "/v1/clients",
            Role.OBSERVER,
            OperatorQuery.ListClients.class,
            Row.ClientRow.class,
            "Lists the clients."),
    CLIENT_SHOW(
            "client show",
            Verb.GET,
            "/v1/clients/{client}",
            Role.OBSERVER,
            OperatorQuery.ShowClient.class,
            Row.ClientRow.class,
            "Shows a client."),
    CLIENT_RENAME(
            "client rename",
            Verb.POST,
            "/v1/clients/{client}/rename",
            Role.OPERATOR,
            OperatorCommand.RenameClient.class,
            Row.ClientRow.class,
            "Gives a client another name."),
    CLIENT_SECRET(
            "client secret",
            Verb.POST,
            "/v1/clients/{client}/secret",
            Role.OPERATOR,
            OperatorCommand.SetSecret.class,
            Row.ClientRow.class,
            "Sets the CHAP secret of a client, or takes it away."),
    CLIENT_MIGRATE(
            "client migrate",
            Verb.POST,
            "/v1/clients/{client}/migrate",
            Role.OPERATOR,
            OperatorCommand.MigrateClient.class,
            Row.ClientRow.class,
            "Live migration: lets the second port names in, then changes over to them."),
    CLIENT_REMOVE(
            "client remove",
            Verb.DELETE,
            "/v1/clients/{client}",
            Role.OPERATOR,
            OperatorCommand.RemoveClient.class,
            Row.ClientRow.class,
            "Removes a client."),

    ADAPTER_ADD(
            "adapter add",
            Verb.POST,
            "/v1/adapters",
            Role.OPERATOR,
            OperatorCommand.AddAdapter.class,
            Row.AdapterRow.class,
            "Gives a client another adapter."),
    ADAPTER_LIST(
            "adapter list",
            Verb.GET,
            "/v1/adapters",
            Role.OBSERVER,
            OperatorQuery.ListAdapters.class,
            Row.AdapterRow.class,
            "Lists the adapters and their port names."),
    ADAPTER_REMOVE(
            "adapter remove",
            Verb.DELETE,
            "/v1/adapters/{adapter}",
            Role.OPERATOR,
            OperatorCommand.RemoveAdapter.class,
            Row.AdapterRow.class,
            "Removes an adapter; its port names are never issued again."),

    INITIATOR_BIND(
            "initiator bind",
            Verb.POST,
            "/v1/initiators",
            Role.OPERATOR,
            OperatorCommand.BindInitiator.class,
            Row.InitiatorRow.class,
            "Lets an iqn. name stand for a port name."),
    INITIATOR_LIST(
            "initiator list",
            Verb.GET,
            "/v1/initiators",
            Role.OBSERVER,
            OperatorQuery.ListInitiators.class,
            Row.InitiatorRow.class,
            "Lists the iqn. names that stand for port names."),
    INITIATOR_UNBIND(
            "initiator unbind",
            Verb.DELETE,
            "/v1/initiators/{initiator}",
            Role.OPERATOR,
            OperatorCommand.UnbindInitiator.class,
            Row.InitiatorRow.class,
            "Ends that."),

    MAP(
            "map",
            Verb.POST,
            "/v1/maps",
            Role.OPERATOR,
            OperatorCommand.MapLu.class,
            Row.MapRow.class,
            "Shows an LU to a client."),
    UNMAP(
            "unmap",
            Verb.DELETE,
            "/v1/maps/{client}/{lu}",
            Role.OPERATOR,
            OperatorCommand.UnmapLu.class,
            Row.MapRow.class,
            "Takes an LU from a client."),
    MAPS(
            "maps",
            Verb.GET,
            "/v1/maps",
            Role.OBSERVER,
            OperatorQuery.ListMaps.class,
            Row.MapRow.class,
            "Lists which client sees which LU, and under which number."),

    LSMAP(
            "lsmap",
            Verb.GET,
            "/v1/lsmap",
            Role.OBSERVER,
            OperatorQuery.Lsmap.class,
            Row.LsmapRow.class,
            "Lists the server adapters and the devices behind each."),
    LSMAP_NPIV(
            "lsmap npiv",
            Verb.GET,
            "/v1/lsmap/npiv",
            Role.OBSERVER,
            OperatorQuery.LsmapNpiv.class,
            Row.LsmapNpivRow.class,
            "Lists the server adapters and who is logged in there."),
    VFCMAP(
            "vfcmap",
            Verb.POST,
            "/v1/vfcmap",
            Role.OPERATOR,
            OperatorCommand.AssignPort.class,
            Row.VfcmapRow.class,
            "Assigns a server adapter to a port."),
    LSNPORTS(
            "lsnports",
            Verb.GET,
            "/v1/lsnports",
            Role.OBSERVER,
            OperatorQuery.Lsnports.class,
            Row.LsnportsRow.class,
            "Lists the ports and how many more adapters each can carry."),

    POOL_CREATE(
            "pool create",
            Verb.POST,
            "/v1/pools",
            Role.ADMIN,
            OperatorCommand.CreatePool.class,
            Row.PoolRow.class,
            "Makes a directory of the server a pool for LUs."),
    POOL_LIST(
            "pool list",
            Verb.GET,
            "/v1/pools",
            Role.OBSERVER,
            OperatorQuery.ListPools.class,
            Row.PoolRow.class,
            "Lists the pools."),
    POOL_REMOVE(
            "pool remove",
            Verb.DELETE,
            "/v1/pools/{name}",
            Role.ADMIN,
            OperatorCommand.RemovePool.class,
            Row.PoolRow.class,
            "Forgets a pool; its directory stays."),

    WWPN_POOL_CREATE(
            "wwpn-pool create",
            Verb.POST,
            "/v1/wwpn-pools",
            Role.ADMIN,
            OperatorCommand.CreateWwpnPool.class,
            Row.WwpnPoolRow.class,
            "Creates a pool of port names."),
    WWPN_POOL_LIST(
            "wwpn-pool list",
            Verb.GET,
            "/v1/wwpn-pools",
            Role.OBSERVER,
            OperatorQuery.ListWwpnPools.class,
            Row.WwpnPoolRow.class,
            "Lists the pools of port names."),
    WWPN_POOL_REMOVE(
            "wwpn-pool remove",
            Verb.DELETE,
            "/v1/wwpn-pools/{name}",
            Role.ADMIN,
            OperatorCommand.RemoveWwpnPool.class,
            Row.WwpnPoolRow.class,
            "Removes a pool of port names; what it has issued is never issued again."),

    PORT_ADD(
            "port add",
            Verb.POST,
            "/v1/ports",
            Role.ADMIN,
            OperatorCommand.AddPort.class,
            Row.PortRow.class,
            "Adds a port: a portal that clients are assigned to."),
    PORT_LIST(
            "port list",
            Verb.GET,
            "/v1/ports",
            Role.OBSERVER,
            OperatorQuery.ListPorts.class,
            Row.PortRow.class,
            "Lists the ports."),
    PORT_RESIZE(
            "port resize",
            Verb.POST,
            "/v1/ports/{name}/resize",
            Role.ADMIN,
            OperatorCommand.ResizePort.class,
            Row.PortRow.class,
            "Sets how many adapters a port carries."),
    PORT_REMOVE(
            "port remove",
            Verb.DELETE,
            "/v1/ports/{name}",
            Role.ADMIN,
            OperatorCommand.RemovePort.class,
            Row.PortRow.class,
            "Removes a port."),

    ZONE_SET(
            "zone set",
            Verb.PUT,
            "/v1/zones/{name}",
            Role.OPERATOR,
            OperatorCommand.SetZone.class,
            Row.ZoneRow.class,
            "Creates a zone, or replaces it."),
    ZONE_LIST(
            "zone list",
            Verb.GET,
            "/v1/zones",
            Role.OBSERVER,
            OperatorQuery.ListZones.class,
            Row.ZoneRow.class,
            "Lists the zones."),
    ZONE_REMOVE(
            "zone remove",
            Verb.DELETE,
            "/v1/zones/{name}",
            Role.OPERATOR,
            OperatorCommand.RemoveZone.class,
            Row.ZoneRow.class,
            "Removes a zone."),
    ZONE_DEFAULT(
            "zone default",
            Verb.POST,
            "/v1/zone-default",
            Role.OPERATOR,
            OperatorCommand.SetDefaultZone.class,
            Row.ObjectRow.class,
            "Says where port names in no zone may log in."),

    SESSIONS(
            "sessions",
            Verb.GET,
            "/v1/sessions",
            Role.OBSERVER,
            OperatorQuery.ListSessions.class,
            Row.SessionRow.class,
            "Lists who is logged in, from where and since when."),
    AGENTS(
            "agents",
            Verb.GET,
            "/v1/agents",
            Role.OBSERVER,
            OperatorQuery.ListAgents.class,
            Row.AgentRow.class,
            "Lists the agents that are connected."),
    VMS(
            "vms",
            Verb.GET,
            "/v1/vms",
            Role.OBSERVER,
            OperatorQuery.ListVms.class,
            Row.VmRow.class,
            "Lists the VMs that agents look after."),
    ACTIONS_SET(
            "actions set",
            Verb.PUT,
            "/v1/actions/{vm}",
            Role.OPERATOR,
            OperatorCommand.SetActions.class,
            Row.ActionsRow.class,
            "Registers what is to be done for a VM on which event: its agent does it, unless its own settings or the guest say"
                    + " otherwise ('holdfast vms' has its answer)."),
    ACTIONS_FORGET(
            "actions forget",
            Verb.DELETE,
            "/v1/actions/{vm}",
            Role.OPERATOR,
            OperatorCommand.ForgetActions.class,
            Row.ActionsRow.class,
            "Withdraws what is registered for a VM: its agent goes by its own settings again."),

    EVENTS_RAISE(
            "events raise",
            Verb.POST,
            "/v1/raised-events/{name}",
            Role.OPERATOR,
            OperatorCommand.RaiseEvent.class,
            Row.RaisedRow.class,
            "Raises an event: agents do to their VMs what is registered for it, or freeze them, until it is cleared."),
    EVENTS_CLEAR(
            "events clear",
            Verb.DELETE,
            "/v1/raised-events/{name}",
            Role.OPERATOR,
            OperatorCommand.ClearEvent.class,
            Row.RaisedRow.class,
            "Ends an event that was raised."),
    EVENTS_RAISED(
            "events raised",
            Verb.GET,
            "/v1/raised-events",
            Role.OBSERVER,
            OperatorQuery.ListRaised.class,
            Row.RaisedRow.class,
            "Lists what was raised and not cleared yet."),

    TOKEN_CREATE(
            "token create",
            Verb.POST,
            "/v1/tokens",
            Role.ADMIN,
            OperatorCommand.CreateToken.class,
            Row.NewTokenRow.class,
            "Makes a token for remote use. It is shown once."),
    TOKEN_LIST(
            "token list",
            Verb.GET,
            "/v1/tokens",
            Role.ADMIN,
            OperatorQuery.ListTokens.class,
            Row.TokenRow.class,
            "Lists the tokens, without what they are."),
    TOKEN_REMOVE(
            "token remove",
            Verb.DELETE,
            "/v1/tokens/{name}",
            Role.ADMIN,
            OperatorCommand.RemoveToken.class,
            Row.TokenRow.class,
            "Ends a token."),

    AUDIT(
            "audit",
            Verb.GET,
            "/v1/audit",
            Role.ADMIN,
            OperatorQuery.Audit.class,
            Row.AuditRow.class,
            "Lists who changed what, when and from where.");

    /** HTTP's. */
    public enum Verb {
        GET,
        POST,
        PUT,
        DELETE
    }

    private final String words;
    private final Verb verb;
    private final String path;
    private final Role role;
    private final Class<? extends OperatorRequest> request;
    private final Class<? extends Row> answer;
    private final String help;

    Operation(
            String words,
            Verb verb,
            String path,
            Role role,
            Class<? extends OperatorRequest> request,
            Class<? extends Row> answer,
            String help) {
        this.words = words;
        this.verb = verb;
        this.path = path;
        this.role = role;
        this.request = request;
        this.answer = answer;
        this.help = help;
    }

    /** Of the command line, such as {@code lu create}. */
    public List<String> words() {
        return Arrays.asList(words.split(" ", -1));
    }

    public Verb verb() {
        return verb;
    }

    public String path() {
        return path;
    }

    /** The least that a caller must be. */
    public Role role() {
        return role;
    }

    public Class<? extends OperatorRequest> request() {
        return request;
    }

    /** What each row of the answer is. */
    public Class<? extends Row> answer() {
        return answer;
    }

    public String help() {
        return help;
    }

    /** True if it changes something. */
    public boolean changes() {
        return OperatorCommand.class.isAssignableFrom(request);
    }

    /** The one for a request. */
    public static Operation of(OperatorRequest request) {
        for (Operation operation : values()) {
            if (operation.request == request.getClass()) {
                return operation;
            }
        }
        throw new IllegalArgumentException("no operation asks " + request.getClass());
    }

    /** The one that these words of a command line mean. */
    public static Optional<Operation> ofWords(List<String> words) {
        return Arrays.stream(values()).filter(o -> o.words().equals(words)).findFirst();
    }
}
