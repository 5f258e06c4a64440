CREATE INDEX "audit_events_business_id_actor_id_at_id_idx" ON "audit_events"("business_id", "actor_id", "at", "id");
CREATE INDEX "audit_events_business_id_target_id_at_id_idx" ON "audit_events"("business_id", "target_id", "at", "id");
CREATE INDEX "audit_events_business_id_action_at_id_idx" ON "audit_events"("business_id", "action", "at", "id");
CREATE INDEX "audit_events_environment_id_actor_id_at_id_idx" ON "audit_events"("environment_id", "actor_id", "at", "id");
CREATE INDEX "audit_events_environment_id_target_id_at_id_idx" ON "audit_events"("environment_id", "target_id", "at", "id");
CREATE INDEX "audit_events_environment_id_action_at_id_idx" ON "audit_events"("environment_id", "action", "at", "id");

-- What was written stays as it was written, until it is deleted as too old.
CREATE FUNCTION "refuse_update"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'Rows of % are never updated.', TG_TABLE_NAME;
END $$;

CREATE TRIGGER "immutable" BEFORE UPDATE ON "audit_events" FOR EACH ROW EXECUTE FUNCTION "refuse_update"();
