package io.holdfast.npiv;

/** Initiator names that say nothing of a port name. */
public sealed interface InitiatorCommand extends FabricCommand {

    /** From now on this name means that port. One port name can have several, one name stands for one port name. */
    record Bind(String initiator, Wwpn wwpn) implements InitiatorCommand {
        @Override
        public InitiatorBinding applyTo(FabricDraft draft) {
            InitiatorBinding binding = new InitiatorBinding(checked(initiator), wwpn, draft.version);
            draft.adapterNamed(wwpn);
            draft.initiators.add(binding);
            return binding;
        }
    }

    record Unbind(String initiator) implements InitiatorCommand {
        @Override
        public InitiatorBinding applyTo(FabricDraft draft) {
            return draft.initiators.remove(InitiatorName.normalise(initiator));
        }
    }

    private static String checked(String initiator) {
        try {
            return InitiatorName.checkedIqn(initiator);
        } catch (NameFormatException e) {
            throw new RefusedException(new Refusal.Malformed(e.text(), e.position(), messageOf(e)));
        }
    }

    private static String messageOf(NameFormatException e) {
        return String.valueOf(e.getMessage());
    }
}
