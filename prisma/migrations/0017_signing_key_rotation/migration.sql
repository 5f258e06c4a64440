-- AlterTable
ALTER TABLE "signing_keys" ADD COLUMN     "longest_lifetime" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "signs_from" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

UPDATE "signing_keys" k SET "signs_from" = k."created_at", "longest_lifetime" = coalesce(
    (SELECT max(greatest(a."access_token_lifetime", a."id_token_lifetime")) FROM "applications" a WHERE a."environment_id" = k."environment_id"), 0);

-- A key stays published for as long as the longest token that it may have signed, whoever changed how long that was.
CREATE FUNCTION "note_token_lifetime"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE "signing_keys" SET "longest_lifetime" = greatest(NEW."access_token_lifetime", NEW."id_token_lifetime")
     WHERE "environment_id" = NEW."environment_id" AND "longest_lifetime" < greatest(NEW."access_token_lifetime", NEW."id_token_lifetime");
    RETURN NULL;
END $$;
CREATE TRIGGER "noted" AFTER INSERT OR UPDATE OF "access_token_lifetime", "id_token_lifetime" ON "applications" FOR EACH ROW EXECUTE FUNCTION "note_token_lifetime"();
