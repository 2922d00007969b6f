package io.holdfast.management.plane;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.control.operator.Answer;
import io.holdfast.control.operator.OperatorCommand;
import io.holdfast.control.operator.OperatorQuery;
import io.holdfast.control.operator.OperatorRequest;
import io.holdfast.control.operator.Row;
import io.holdfast.control.operator.RowJson;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Random;

/** A control plane in memory that is told what another one has acknowledged: both must say the same. */
public final class ModelOf implements AutoCloseable {
    /** What is compared, and not what each server makes up for itself. */
    private static final List<OperatorQuery> QUERIES = List.of(
            new OperatorQuery.ListPools(),
            new OperatorQuery.ListLus(),
            new OperatorQuery.ListWwpnPools(),
            new OperatorQuery.ListTokens(),
            new OperatorQuery.ListZones(),
            new OperatorQuery.ListInitiators(),
            new OperatorQuery.ListClients(),
            new OperatorQuery.ListAdapters(null),
            new OperatorQuery.ListMaps(null),
            new OperatorQuery.ListPorts());

    private final PlaneRig rig = new PlaneRig(new MemoryStore());
    private final Random random;

    public ModelOf(long seed) {
        random = new Random(seed);
    }

    /** The next command to give. */
    public OperatorCommand next() {
        return RandomCommands.next(random, rig.plane.state());
    }

    /** The other one has said that it carried it out. */
    public void acknowledged(OperatorCommand command) {
        Answer answer = rig.plane.ask(command, PlaneRig.ADMIN, OptionalLong.empty());
        assertThat(answer).as("%s was acknowledged", command).isInstanceOf(Answer.Done.class);
    }

    /** Would it be carried out? Does so if it is. */
    public boolean carriesOut(OperatorCommand command) {
        return rig.plane.ask(command, PlaneRig.ADMIN, OptionalLong.empty()) instanceof Answer.Done;
    }

    /** All of it, one text. */
    public String print() {
        StringBuilder text = new StringBuilder();
        for (OperatorRequest query : QUERIES) {
            List<String> rows = new ArrayList<>();
            for (Row row : rig.rows(query)) {
                rows.add(new String(
                        io.holdfast.control.ControlJson.bytes(out -> RowJson.write(row, out)), StandardCharsets.UTF_8));
            }
            text.append(String.join("\n", rows)).append("\n\n");
        }
        return text.toString();
    }

    /** The fields of a command, as JSON has them. */
    public static Map<String, Object> fields(OperatorCommand command) {
        Map<String, Object> fields = new java.util.LinkedHashMap<>();
        for (var component : command.getClass().getRecordComponents()) {
            try {
                Object value = component.getAccessor().invoke(command);
                if (value instanceof Enum<?> constant) {
                    fields.put(component.getName(), io.holdfast.control.operator.Labels.of(constant));
                } else if (value instanceof Integer number) {
                    fields.put(component.getName(), number.longValue());
                } else if (value != null) {
                    fields.put(component.getName(), value);
                }
            } catch (ReflectiveOperationException e) {
                throw new LinkageError("a record without its accessor: " + component, e);
            }
        }
        return fields;
    }

    @Override
    public void close() {
        rig.close();
    }
}
