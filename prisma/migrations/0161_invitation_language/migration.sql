ALTER TABLE "organization_invitations" ADD COLUMN "language" TEXT;
ALTER TABLE "team_invitations" ADD COLUMN "language" TEXT;
