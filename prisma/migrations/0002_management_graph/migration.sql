-- AlterTable
ALTER TABLE "api_scopes" DROP CONSTRAINT "api_scopes_pkey",
ADD COLUMN     "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
ADD COLUMN     "id" TEXT,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;
UPDATE "api_scopes" SET "id" = 'api_scope_' || replace(gen_random_uuid()::text, '-', '');
ALTER TABLE "api_scopes" ALTER COLUMN "id" SET NOT NULL,
ADD CONSTRAINT "api_scopes_pkey" PRIMARY KEY ("environment_id", "id");

-- AlterTable
ALTER TABLE "apis" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "applications" ADD COLUMN     "access_token_claims" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "id_token_claims" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "is_session_persistent" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "machine_token_claims" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "organization_id" TEXT,
ADD COLUMN     "phone_sign_in" TEXT NOT NULL DEFAULT 'off',
ADD COLUMN     "previous_secret_hash" TEXT,
ADD COLUMN     "secret_rotated_at" TIMESTAMPTZ(3),
ADD COLUMN     "session_inactivity_timeout" INTEGER NOT NULL DEFAULT 86400,
ADD COLUMN     "username_sign_in" TEXT NOT NULL DEFAULT 'off',
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "businesses" ADD COLUMN     "email" TEXT,
ADD COLUMN     "industry" TEXT,
ADD COLUMN     "is_terms_acceptance_explicit" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "perk_code" TEXT,
ADD COLUMN     "perk_code_entered_at" TIMESTAMPTZ(3),
ADD COLUMN     "phone" TEXT,
ADD COLUMN     "privacy_url" TEXT,
ADD COLUMN     "terms_url" TEXT,
ADD COLUMN     "timezone" TEXT,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "environments" ADD COLUMN     "allow_invitations" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "allow_organization_creation" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "allowed_domains" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "has_enumeration_protection" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "has_recovery_codes" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "invitation_application_id" TEXT,
ADD COLUMN     "is_live" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "lock_seconds" INTEGER NOT NULL DEFAULT 300,
ADD COLUMN     "max_failures" INTEGER NOT NULL DEFAULT 5,
ADD COLUMN     "mfa_factors" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "mfa_policy" TEXT NOT NULL DEFAULT 'off',
ADD COLUMN     "passkey_policy" TEXT NOT NULL DEFAULT 'off',
ADD COLUMN     "sync_profile" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "use_most_recent_organization" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "organizations" ADD COLUMN     "allowed_domains" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "colors" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN     "has_recovery_codes" BOOLEAN NOT NULL DEFAULT true,
ADD COLUMN     "is_advanced" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "is_auto_join_domain_list" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "is_session_persistent" BOOLEAN,
ADD COLUMN     "mfa_factors" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "mfa_policy" TEXT,
ADD COLUMN     "passkey_policy" TEXT,
ADD COLUMN     "sender_email" TEXT,
ADD COLUMN     "sender_name" TEXT,
ADD COLUMN     "session_inactivity_timeout" INTEGER,
ADD COLUMN     "suspended_at" TIMESTAMPTZ(3),
ADD COLUMN     "theme" TEXT,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "passwords" ADD COLUMN     "is_temporary" BOOLEAN NOT NULL DEFAULT false;

-- AlterTable
ALTER TABLE "permissions" ADD COLUMN     "is_default" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "roles" ADD COLUMN     "assignment_permission_id" TEXT,
ADD COLUMN     "is_creator_role" BOOLEAN NOT NULL DEFAULT false,
ADD COLUMN     "system_permissions" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "team_invitations" ADD COLUMN     "sent_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP;

-- AlterTable
ALTER TABLE "team_members" ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "users" ADD COLUMN     "access_removed_at" TIMESTAMPTZ(3),
ADD COLUMN     "claims_refreshed_at" TIMESTAMPTZ(3),
ADD COLUMN     "suspended_at" TIMESTAMPTZ(3),
ADD COLUMN     "version" INTEGER NOT NULL DEFAULT 1;

-- CreateTable
CREATE TABLE "api_keys" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "api_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "organization_id" TEXT,
    "user_id" TEXT,
    "key_hash" TEXT NOT NULL,
    "hint" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "rotated_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),
    "last_verified_at" TIMESTAMPTZ(3),
    "verification_count" INTEGER NOT NULL DEFAULT 0,

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "environment_variables" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "is_sensitive" BOOLEAN NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environment_variables_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "feature_flags" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "type" TEXT NOT NULL,
    "default_value" JSONB NOT NULL,
    "override_levels" TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "feature_flags_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "environment_flag_values" (
    "environment_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "flag_id" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environment_flag_values_pkey" PRIMARY KEY ("environment_id","flag_id")
);

-- CreateTable
CREATE TABLE "organization_flag_values" (
    "environment_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "flag_id" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_flag_values_pkey" PRIMARY KEY ("environment_id","organization_id","flag_id")
);

-- CreateTable
CREATE TABLE "user_flag_values" (
    "environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "flag_id" TEXT NOT NULL,
    "value" JSONB NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_flag_values_pkey" PRIMARY KEY ("environment_id","user_id","flag_id")
);

-- CreateTable
CREATE TABLE "idempotency_keys" (
    "environment_id" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "key_hash" TEXT NOT NULL,
    "fingerprint" TEXT NOT NULL,
    "result" TEXT NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("environment_id","actor_id","key_hash")
);

-- CreateTable
CREATE TABLE "logos" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "organization_id" TEXT,
    "type" TEXT NOT NULL,
    "content_type" TEXT NOT NULL,
    "bytes" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "logos_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "organization_default_roles" (
    "environment_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,

    CONSTRAINT "organization_default_roles_pkey" PRIMARY KEY ("environment_id","organization_id","role_id")
);

-- CreateTable
CREATE TABLE "organization_mfa_exempt_roles" (
    "environment_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,

    CONSTRAINT "organization_mfa_exempt_roles_pkey" PRIMARY KEY ("environment_id","organization_id","role_id")
);

-- CreateTable
CREATE TABLE "organization_invitations" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "code_hash" TEXT NOT NULL,
    "is_sent" BOOLEAN NOT NULL,
    "invited_by_user_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "organization_invitations_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "organization_invitation_roles" (
    "environment_id" TEXT NOT NULL,
    "invitation_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,

    CONSTRAINT "organization_invitation_roles_pkey" PRIMARY KEY ("environment_id","invitation_id","role_id")
);

-- CreateTable
CREATE TABLE "properties" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "type" TEXT NOT NULL,
    "context" TEXT NOT NULL,
    "is_private" BOOLEAN NOT NULL,
    "is_system" BOOLEAN NOT NULL DEFAULT false,
    "category_id" TEXT,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "properties_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "property_categories" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "context" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "property_categories_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "user_property_values" (
    "environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "property_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_property_values_pkey" PRIMARY KEY ("environment_id","user_id","property_id")
);

-- CreateTable
CREATE TABLE "organization_property_values" (
    "environment_id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "property_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organization_property_values_pkey" PRIMARY KEY ("environment_id","organization_id","property_id")
);

-- CreateTable
CREATE TABLE "application_property_values" (
    "environment_id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "property_id" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "application_property_values_pkey" PRIMARY KEY ("environment_id","application_id","property_id")
);

-- CreateTable
CREATE TABLE "role_scopes" (
    "environment_id" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,

    CONSTRAINT "role_scopes_pkey" PRIMARY KEY ("environment_id","role_id","scope_id")
);

-- CreateTable
CREATE TABLE "membership_scopes" (
    "environment_id" TEXT NOT NULL,
    "membership_id" TEXT NOT NULL,
    "scope_id" TEXT NOT NULL,

    CONSTRAINT "membership_scopes_pkey" PRIMARY KEY ("environment_id","membership_id","scope_id")
);

-- CreateTable
CREATE TABLE "subscribers" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "user_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "subscribers_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "access_requests" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "user_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "access_requests_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "team_policies" (
    "business_id" TEXT NOT NULL,
    "mfa_policy" TEXT NOT NULL DEFAULT 'off',
    "mfa_roles" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "mfa_factors" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "sso_protocol" TEXT NOT NULL DEFAULT 'off',
    "sso_settings" JSONB NOT NULL DEFAULT '{}',
    "sso_secret" TEXT,
    "sso_domains" TEXT[] DEFAULT ARRAY[]::TEXT[],
    "version" INTEGER NOT NULL DEFAULT 1,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "team_policies_pkey" PRIMARY KEY ("business_id")
);

-- CreateTable
CREATE TABLE "mfa_factors" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "label" TEXT,
    "secret" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "mfa_factors_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "webhooks" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "url" TEXT NOT NULL,
    "event_types" TEXT[],
    "is_enabled" BOOLEAN NOT NULL DEFAULT true,
    "failing_since" TIMESTAMPTZ(3),
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "webhooks_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "events" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "data" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "events_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "webhook_deliveries" (
    "environment_id" TEXT NOT NULL,
    "webhook_id" TEXT NOT NULL,
    "event_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "status_code" INTEGER,
    "last_attempt_at" TIMESTAMPTZ(3),
    "delivered_at" TIMESTAMPTZ(3),

    CONSTRAINT "webhook_deliveries_pkey" PRIMARY KEY ("environment_id","webhook_id","event_id")
);

-- CreateIndex
CREATE INDEX "api_keys_environment_id_organization_id_id_idx" ON "api_keys"("environment_id", "organization_id", "id");

-- CreateIndex
CREATE INDEX "api_keys_environment_id_user_id_id_idx" ON "api_keys"("environment_id", "user_id", "id");

-- CreateIndex
CREATE INDEX "api_keys_environment_id_api_id_id_idx" ON "api_keys"("environment_id", "api_id", "id");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_environment_id_key_hash_key" ON "api_keys"("environment_id", "key_hash");

-- CreateIndex
CREATE UNIQUE INDEX "environment_variables_environment_id_key_key" ON "environment_variables"("environment_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "feature_flags_business_id_key_key" ON "feature_flags"("business_id", "key");

-- CreateIndex
CREATE INDEX "environment_flag_values_business_id_flag_id_idx" ON "environment_flag_values"("business_id", "flag_id");

-- CreateIndex
CREATE INDEX "organization_flag_values_business_id_flag_id_idx" ON "organization_flag_values"("business_id", "flag_id");

-- CreateIndex
CREATE INDEX "user_flag_values_business_id_flag_id_idx" ON "user_flag_values"("business_id", "flag_id");

-- CreateIndex
CREATE INDEX "idempotency_keys_expires_at_idx" ON "idempotency_keys"("expires_at");

-- CreateIndex
CREATE INDEX "logos_environment_id_organization_id_type_idx" ON "logos"("environment_id", "organization_id", "type");

-- CreateIndex
CREATE INDEX "organization_default_roles_business_id_role_id_idx" ON "organization_default_roles"("business_id", "role_id");

-- CreateIndex
CREATE INDEX "organization_mfa_exempt_roles_business_id_role_id_idx" ON "organization_mfa_exempt_roles"("business_id", "role_id");

-- CreateIndex
CREATE INDEX "organization_invitations_environment_id_organization_id_id_idx" ON "organization_invitations"("environment_id", "organization_id", "id");

-- CreateIndex
CREATE INDEX "organization_invitations_environment_id_normalized_idx" ON "organization_invitations"("environment_id", "normalized");

-- CreateIndex
CREATE UNIQUE INDEX "organization_invitations_environment_id_code_hash_key" ON "organization_invitations"("environment_id", "code_hash");

-- CreateIndex
CREATE INDEX "organization_invitation_roles_business_id_role_id_idx" ON "organization_invitation_roles"("business_id", "role_id");

-- CreateIndex
CREATE UNIQUE INDEX "properties_business_id_key_key" ON "properties"("business_id", "key");

-- CreateIndex
CREATE UNIQUE INDEX "property_categories_business_id_context_name_key" ON "property_categories"("business_id", "context", "name");

-- CreateIndex
CREATE INDEX "user_property_values_business_id_property_id_idx" ON "user_property_values"("business_id", "property_id");

-- CreateIndex
CREATE INDEX "organization_property_values_business_id_property_id_idx" ON "organization_property_values"("business_id", "property_id");

-- CreateIndex
CREATE INDEX "application_property_values_business_id_property_id_idx" ON "application_property_values"("business_id", "property_id");

-- CreateIndex
CREATE INDEX "role_scopes_business_id_role_id_idx" ON "role_scopes"("business_id", "role_id");

-- CreateIndex
CREATE INDEX "role_scopes_environment_id_scope_id_idx" ON "role_scopes"("environment_id", "scope_id");

-- CreateIndex
CREATE INDEX "membership_scopes_environment_id_scope_id_idx" ON "membership_scopes"("environment_id", "scope_id");

-- CreateIndex
CREATE INDEX "subscribers_environment_id_user_id_idx" ON "subscribers"("environment_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "subscribers_environment_id_normalized_key" ON "subscribers"("environment_id", "normalized");

-- CreateIndex
CREATE INDEX "access_requests_environment_id_user_id_idx" ON "access_requests"("environment_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "access_requests_environment_id_normalized_key" ON "access_requests"("environment_id", "normalized");

-- CreateIndex
CREATE INDEX "mfa_factors_environment_id_user_id_idx" ON "mfa_factors"("environment_id", "user_id");

-- CreateIndex
CREATE INDEX "events_created_at_idx" ON "events"("created_at");

-- CreateIndex
CREATE INDEX "webhook_deliveries_environment_id_event_id_idx" ON "webhook_deliveries"("environment_id", "event_id");

-- CreateIndex
CREATE UNIQUE INDEX "api_scopes_environment_id_api_id_name_key" ON "api_scopes"("environment_id", "api_id", "name");

-- AddForeignKey
ALTER TABLE "applications" ADD CONSTRAINT "applications_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_environment_id_api_id_fkey" FOREIGN KEY ("environment_id", "api_id") REFERENCES "apis"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "environment_variables" ADD CONSTRAINT "environment_variables_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "feature_flags" ADD CONSTRAINT "feature_flags_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "environment_flag_values" ADD CONSTRAINT "environment_flag_values_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "environment_flag_values" ADD CONSTRAINT "environment_flag_values_business_id_flag_id_fkey" FOREIGN KEY ("business_id", "flag_id") REFERENCES "feature_flags"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_flag_values" ADD CONSTRAINT "organization_flag_values_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_flag_values" ADD CONSTRAINT "organization_flag_values_business_id_flag_id_fkey" FOREIGN KEY ("business_id", "flag_id") REFERENCES "feature_flags"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_flag_values" ADD CONSTRAINT "user_flag_values_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_flag_values" ADD CONSTRAINT "user_flag_values_business_id_flag_id_fkey" FOREIGN KEY ("business_id", "flag_id") REFERENCES "feature_flags"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "logos" ADD CONSTRAINT "logos_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "logos" ADD CONSTRAINT "logos_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_default_roles" ADD CONSTRAINT "organization_default_roles_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_default_roles" ADD CONSTRAINT "organization_default_roles_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_mfa_exempt_roles" ADD CONSTRAINT "organization_mfa_exempt_roles_environment_id_organization__fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_mfa_exempt_roles" ADD CONSTRAINT "organization_mfa_exempt_roles_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_invitations" ADD CONSTRAINT "organization_invitations_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_invitations" ADD CONSTRAINT "organization_invitations_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_invitation_roles" ADD CONSTRAINT "organization_invitation_roles_environment_id_invitation_id_fkey" FOREIGN KEY ("environment_id", "invitation_id") REFERENCES "organization_invitations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_invitation_roles" ADD CONSTRAINT "organization_invitation_roles_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "properties" ADD CONSTRAINT "properties_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "properties" ADD CONSTRAINT "properties_business_id_category_id_fkey" FOREIGN KEY ("business_id", "category_id") REFERENCES "property_categories"("business_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "property_categories" ADD CONSTRAINT "property_categories_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_property_values" ADD CONSTRAINT "user_property_values_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "user_property_values" ADD CONSTRAINT "user_property_values_business_id_property_id_fkey" FOREIGN KEY ("business_id", "property_id") REFERENCES "properties"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_property_values" ADD CONSTRAINT "organization_property_values_environment_id_organization_i_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organization_property_values" ADD CONSTRAINT "organization_property_values_business_id_property_id_fkey" FOREIGN KEY ("business_id", "property_id") REFERENCES "properties"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_property_values" ADD CONSTRAINT "application_property_values_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_property_values" ADD CONSTRAINT "application_property_values_business_id_property_id_fkey" FOREIGN KEY ("business_id", "property_id") REFERENCES "properties"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_business_id_assignment_permission_id_fkey" FOREIGN KEY ("business_id", "assignment_permission_id") REFERENCES "permissions"("business_id", "id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_scopes" ADD CONSTRAINT "role_scopes_environment_id_scope_id_fkey" FOREIGN KEY ("environment_id", "scope_id") REFERENCES "api_scopes"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_scopes" ADD CONSTRAINT "role_scopes_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_scopes" ADD CONSTRAINT "membership_scopes_environment_id_membership_id_fkey" FOREIGN KEY ("environment_id", "membership_id") REFERENCES "memberships"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_scopes" ADD CONSTRAINT "membership_scopes_environment_id_scope_id_fkey" FOREIGN KEY ("environment_id", "scope_id") REFERENCES "api_scopes"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "subscribers" ADD CONSTRAINT "subscribers_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "access_requests" ADD CONSTRAINT "access_requests_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_policies" ADD CONSTRAINT "team_policies_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "mfa_factors" ADD CONSTRAINT "mfa_factors_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhooks" ADD CONSTRAINT "webhooks_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "events" ADD CONSTRAINT "events_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_environment_id_webhook_id_fkey" FOREIGN KEY ("environment_id", "webhook_id") REFERENCES "webhooks"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_environment_id_event_id_fkey" FOREIGN KEY ("environment_id", "event_id") REFERENCES "events"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;
