-- CreateTable
CREATE TABLE "applications" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "secret_hash" TEXT,
    "email_sign_in" TEXT NOT NULL DEFAULT 'code',
    "callback_urls" TEXT[],
    "logout_urls" TEXT[],
    "login_uri" TEXT,
    "homepage_uri" TEXT,
    "access_token_lifetime" INTEGER NOT NULL DEFAULT 86400,
    "id_token_lifetime" INTEGER NOT NULL DEFAULT 3600,
    "refresh_token_lifetime" INTEGER NOT NULL DEFAULT 1296000,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "applications_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "apis" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "audience" TEXT,
    "is_management" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "apis_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "api_scopes" (
    "environment_id" TEXT NOT NULL,
    "api_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,

    CONSTRAINT "api_scopes_pkey" PRIMARY KEY ("environment_id","api_id","name")
);

-- CreateTable
CREATE TABLE "application_apis" (
    "environment_id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "api_id" TEXT NOT NULL,
    "scopes" TEXT[],

    CONSTRAINT "application_apis_pkey" PRIMARY KEY ("environment_id","application_id","api_id")
);

-- CreateTable
CREATE TABLE "audit_events" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "environment_id" TEXT,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "action" TEXT NOT NULL,
    "actor_kind" TEXT NOT NULL,
    "actor_id" TEXT NOT NULL,
    "target_type" TEXT,
    "target_id" TEXT,
    "details" JSONB NOT NULL,
    "ip" TEXT,
    "request_id" TEXT,

    CONSTRAINT "audit_events_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "businesses" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "region" TEXT NOT NULL,
    "plan" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "businesses_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "environments" (
    "id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "domain" TEXT NOT NULL,
    "is_primary" BOOLEAN NOT NULL DEFAULT false,
    "allow_self_sign_up" BOOLEAN NOT NULL DEFAULT true,
    "code_lifetime" INTEGER NOT NULL DEFAULT 7200,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "environments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "private_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "retired_at" TIMESTAMPTZ(3),

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "grants" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "organization_id" TEXT,
    "session_id" TEXT,
    "scopes" TEXT[],
    "audiences" TEXT[],
    "auth_time" TIMESTAMPTZ(3) NOT NULL,
    "requested_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "grants_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "authorization_codes" (
    "environment_id" TEXT NOT NULL,
    "code_hash" TEXT NOT NULL,
    "grant_id" TEXT NOT NULL,
    "redirect_uri" TEXT NOT NULL,
    "code_challenge" TEXT,
    "nonce" TEXT,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "consumed_at" TIMESTAMPTZ(3),

    CONSTRAINT "authorization_codes_pkey" PRIMARY KEY ("environment_id","code_hash")
);

-- CreateTable
CREATE TABLE "refresh_tokens" (
    "environment_id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "grant_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "rotated_at" TIMESTAMPTZ(3),

    CONSTRAINT "refresh_tokens_pkey" PRIMARY KEY ("environment_id","token_hash")
);

-- CreateTable
CREATE TABLE "imports" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "file_name" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "failure" TEXT,
    "total_lines" INTEGER NOT NULL,
    "processed_lines" INTEGER NOT NULL DEFAULT 0,
    "created_users" INTEGER NOT NULL DEFAULT 0,
    "updated_users" INTEGER NOT NULL DEFAULT 0,
    "unchanged_users" INTEGER NOT NULL DEFAULT 0,
    "rejected_lines" INTEGER NOT NULL DEFAULT 0,
    "warnings" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "imports_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "import_chunks" (
    "environment_id" TEXT NOT NULL,
    "import_id" TEXT NOT NULL,
    "index" INTEGER NOT NULL,
    "rows" TEXT NOT NULL,
    "done_at" TIMESTAMPTZ(3),

    CONSTRAINT "import_chunks_pkey" PRIMARY KEY ("environment_id","import_id","index")
);

-- CreateTable
CREATE TABLE "import_issues" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "import_id" TEXT NOT NULL,
    "line" INTEGER NOT NULL,
    "severity" TEXT NOT NULL,
    "code" TEXT NOT NULL,
    "column" TEXT,
    "message" TEXT NOT NULL,

    CONSTRAINT "import_issues_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "development_mails" (
    "id" TEXT NOT NULL,
    "to" TEXT NOT NULL,
    "from" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "html" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "development_mails_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "organizations" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "external_id" TEXT,
    "handle" TEXT,
    "is_default" BOOLEAN NOT NULL DEFAULT false,
    "is_auto_membership_enabled" BOOLEAN NOT NULL DEFAULT false,
    "is_suspended" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "organizations_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "memberships" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "organization_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "memberships_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "roles" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "is_default_role" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "roles_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "permissions" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "description" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "permissions_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "role_permissions" (
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,
    "permission_id" TEXT NOT NULL,

    CONSTRAINT "role_permissions_pkey" PRIMARY KEY ("business_id","role_id","permission_id")
);

-- CreateTable
CREATE TABLE "membership_roles" (
    "environment_id" TEXT NOT NULL,
    "membership_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "role_id" TEXT NOT NULL,

    CONSTRAINT "membership_roles_pkey" PRIMARY KEY ("environment_id","membership_id","role_id")
);

-- CreateTable
CREATE TABLE "membership_permissions" (
    "environment_id" TEXT NOT NULL,
    "membership_id" TEXT NOT NULL,
    "business_id" TEXT NOT NULL,
    "permission_id" TEXT NOT NULL,

    CONSTRAINT "membership_permissions_pkey" PRIMARY KEY ("environment_id","membership_id","permission_id")
);

-- CreateTable
CREATE TABLE "sign_in_attempts" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "application_id" TEXT NOT NULL,
    "browser_hash" TEXT NOT NULL,
    "request" JSONB NOT NULL,
    "step" TEXT NOT NULL,
    "flow" TEXT NOT NULL,
    "email" TEXT,
    "first_name" TEXT,
    "last_name" TEXT,
    "user_id" TEXT,
    "organization_id" TEXT,
    "is_reset" BOOLEAN NOT NULL DEFAULT false,
    "code_hash" TEXT,
    "code_expires_at" TIMESTAMPTZ(3),
    "code_tries" INTEGER NOT NULL DEFAULT 0,
    "code_sent_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "sign_in_attempts_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "auth_time" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_active_at" TIMESTAMPTZ(3) NOT NULL,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "ip" TEXT,
    "user_agent" TEXT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "team_members" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "account_environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "roles" TEXT[],
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "team_members_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "team_invitations" (
    "business_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "roles" TEXT[],
    "token_hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "accepted_at" TIMESTAMPTZ(3),
    "revoked_at" TIMESTAMPTZ(3),

    CONSTRAINT "team_invitations_pkey" PRIMARY KEY ("business_id","id")
);

-- CreateTable
CREATE TABLE "users" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "first_name" TEXT,
    "last_name" TEXT,
    "picture" TEXT,
    "provided_id" TEXT,
    "is_suspended" BOOLEAN NOT NULL DEFAULT false,
    "is_password_reset_requested" BOOLEAN NOT NULL DEFAULT false,
    "failed_sign_ins" INTEGER NOT NULL DEFAULT 0,
    "locked_until" TIMESTAMPTZ(3),
    "total_sign_ins" INTEGER NOT NULL DEFAULT 0,
    "last_signed_in_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "users_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "identities" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "is_primary" BOOLEAN NOT NULL DEFAULT false,
    "is_verified" BOOLEAN NOT NULL DEFAULT false,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "identities_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateTable
CREATE TABLE "passwords" (
    "environment_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "method" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "salt" TEXT,
    "salt_position" TEXT,
    "salt_format" TEXT,
    "updated_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "passwords_pkey" PRIMARY KEY ("environment_id","user_id")
);

-- CreateIndex
CREATE INDEX "applications_environment_id_created_at_id_idx" ON "applications"("environment_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "apis_environment_id_created_at_id_idx" ON "apis"("environment_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "apis_environment_id_audience_key" ON "apis"("environment_id", "audience");

-- CreateIndex
CREATE INDEX "audit_events_business_id_at_id_idx" ON "audit_events"("business_id", "at", "id");

-- CreateIndex
CREATE INDEX "audit_events_environment_id_at_id_idx" ON "audit_events"("environment_id", "at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "environments_domain_key" ON "environments"("domain");

-- CreateIndex
CREATE INDEX "environments_business_id_created_at_id_idx" ON "environments"("business_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "grants_environment_id_user_id_idx" ON "grants"("environment_id", "user_id");

-- CreateIndex
CREATE INDEX "grants_environment_id_session_id_idx" ON "grants"("environment_id", "session_id");

-- CreateIndex
CREATE INDEX "authorization_codes_expires_at_idx" ON "authorization_codes"("expires_at");

-- CreateIndex
CREATE INDEX "refresh_tokens_environment_id_grant_id_idx" ON "refresh_tokens"("environment_id", "grant_id");

-- CreateIndex
CREATE INDEX "refresh_tokens_expires_at_idx" ON "refresh_tokens"("expires_at");

-- CreateIndex
CREATE INDEX "imports_environment_id_created_at_id_idx" ON "imports"("environment_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "imports_state_idx" ON "imports"("state");

-- CreateIndex
CREATE INDEX "import_issues_environment_id_import_id_line_id_idx" ON "import_issues"("environment_id", "import_id", "line", "id");

-- CreateIndex
CREATE INDEX "development_mails_sent_at_idx" ON "development_mails"("sent_at");

-- CreateIndex
CREATE INDEX "organizations_environment_id_created_at_id_idx" ON "organizations"("environment_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "organizations_environment_id_external_id_key" ON "organizations"("environment_id", "external_id");

-- CreateIndex
CREATE UNIQUE INDEX "organizations_environment_id_handle_key" ON "organizations"("environment_id", "handle");

-- CreateIndex
CREATE INDEX "memberships_environment_id_user_id_idx" ON "memberships"("environment_id", "user_id");

-- CreateIndex
CREATE INDEX "memberships_environment_id_organization_id_created_at_id_idx" ON "memberships"("environment_id", "organization_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "memberships_environment_id_organization_id_user_id_key" ON "memberships"("environment_id", "organization_id", "user_id");

-- CreateIndex
CREATE INDEX "roles_business_id_created_at_id_idx" ON "roles"("business_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "roles_business_id_key_key" ON "roles"("business_id", "key");

-- CreateIndex
CREATE INDEX "permissions_business_id_created_at_id_idx" ON "permissions"("business_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "permissions_business_id_key_key" ON "permissions"("business_id", "key");

-- CreateIndex
CREATE INDEX "membership_roles_business_id_role_id_idx" ON "membership_roles"("business_id", "role_id");

-- CreateIndex
CREATE INDEX "membership_permissions_business_id_permission_id_idx" ON "membership_permissions"("business_id", "permission_id");

-- CreateIndex
CREATE INDEX "sign_in_attempts_expires_at_idx" ON "sign_in_attempts"("expires_at");

-- CreateIndex
CREATE INDEX "sessions_environment_id_user_id_idx" ON "sessions"("environment_id", "user_id");

-- CreateIndex
CREATE INDEX "sessions_expires_at_idx" ON "sessions"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "sessions_environment_id_token_hash_key" ON "sessions"("environment_id", "token_hash");

-- CreateIndex
CREATE INDEX "team_members_business_id_created_at_id_idx" ON "team_members"("business_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "team_members_account_environment_id_user_id_idx" ON "team_members"("account_environment_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "team_members_business_id_user_id_key" ON "team_members"("business_id", "user_id");

-- CreateIndex
CREATE INDEX "team_invitations_business_id_created_at_id_idx" ON "team_invitations"("business_id", "created_at", "id");

-- CreateIndex
CREATE INDEX "team_invitations_token_hash_idx" ON "team_invitations"("token_hash");

-- CreateIndex
CREATE INDEX "team_invitations_normalized_idx" ON "team_invitations"("normalized");

-- CreateIndex
CREATE INDEX "users_environment_id_created_at_id_idx" ON "users"("environment_id", "created_at", "id");

-- CreateIndex
CREATE UNIQUE INDEX "users_environment_id_provided_id_key" ON "users"("environment_id", "provided_id");

-- CreateIndex
CREATE INDEX "identities_environment_id_user_id_idx" ON "identities"("environment_id", "user_id");

-- CreateIndex
CREATE UNIQUE INDEX "identities_environment_id_type_normalized_key" ON "identities"("environment_id", "type", "normalized");

-- AddForeignKey
ALTER TABLE "applications" ADD CONSTRAINT "applications_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "apis" ADD CONSTRAINT "apis_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "api_scopes" ADD CONSTRAINT "api_scopes_environment_id_api_id_fkey" FOREIGN KEY ("environment_id", "api_id") REFERENCES "apis"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_apis" ADD CONSTRAINT "application_apis_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "application_apis" ADD CONSTRAINT "application_apis_environment_id_api_id_fkey" FOREIGN KEY ("environment_id", "api_id") REFERENCES "apis"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "environments" ADD CONSTRAINT "environments_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "signing_keys" ADD CONSTRAINT "signing_keys_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "grants" ADD CONSTRAINT "grants_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "authorization_codes" ADD CONSTRAINT "authorization_codes_environment_id_grant_id_fkey" FOREIGN KEY ("environment_id", "grant_id") REFERENCES "grants"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_environment_id_grant_id_fkey" FOREIGN KEY ("environment_id", "grant_id") REFERENCES "grants"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "imports" ADD CONSTRAINT "imports_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "import_chunks" ADD CONSTRAINT "import_chunks_environment_id_import_id_fkey" FOREIGN KEY ("environment_id", "import_id") REFERENCES "imports"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "import_issues" ADD CONSTRAINT "import_issues_environment_id_import_id_fkey" FOREIGN KEY ("environment_id", "import_id") REFERENCES "imports"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "organizations" ADD CONSTRAINT "organizations_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_environment_id_organization_id_fkey" FOREIGN KEY ("environment_id", "organization_id") REFERENCES "organizations"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "roles" ADD CONSTRAINT "roles_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "permissions" ADD CONSTRAINT "permissions_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "role_permissions" ADD CONSTRAINT "role_permissions_business_id_permission_id_fkey" FOREIGN KEY ("business_id", "permission_id") REFERENCES "permissions"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_roles" ADD CONSTRAINT "membership_roles_environment_id_membership_id_fkey" FOREIGN KEY ("environment_id", "membership_id") REFERENCES "memberships"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_roles" ADD CONSTRAINT "membership_roles_business_id_role_id_fkey" FOREIGN KEY ("business_id", "role_id") REFERENCES "roles"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_permissions" ADD CONSTRAINT "membership_permissions_environment_id_membership_id_fkey" FOREIGN KEY ("environment_id", "membership_id") REFERENCES "memberships"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "membership_permissions" ADD CONSTRAINT "membership_permissions_business_id_permission_id_fkey" FOREIGN KEY ("business_id", "permission_id") REFERENCES "permissions"("business_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sign_in_attempts" ADD CONSTRAINT "sign_in_attempts_environment_id_application_id_fkey" FOREIGN KEY ("environment_id", "application_id") REFERENCES "applications"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_members" ADD CONSTRAINT "team_members_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_members" ADD CONSTRAINT "team_members_account_environment_id_user_id_fkey" FOREIGN KEY ("account_environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "team_invitations" ADD CONSTRAINT "team_invitations_business_id_fkey" FOREIGN KEY ("business_id") REFERENCES "businesses"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "users" ADD CONSTRAINT "users_environment_id_fkey" FOREIGN KEY ("environment_id") REFERENCES "environments"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "identities" ADD CONSTRAINT "identities_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "passwords" ADD CONSTRAINT "passwords_environment_id_user_id_fkey" FOREIGN KEY ("environment_id", "user_id") REFERENCES "users"("environment_id", "id") ON DELETE CASCADE ON UPDATE CASCADE;

-- CreateTable
CREATE TABLE "mailed_codes" (
    "environment_id" TEXT NOT NULL,
    "id" TEXT NOT NULL,
    "normalized" TEXT NOT NULL,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "mailed_codes_pkey" PRIMARY KEY ("environment_id","id")
);

-- CreateIndex
CREATE INDEX "mailed_codes_environment_id_normalized_sent_at_idx" ON "mailed_codes"("environment_id", "normalized", "sent_at");

-- CreateIndex
CREATE INDEX "mailed_codes_sent_at_idx" ON "mailed_codes"("sent_at");

-- Rules that hold whatever the code does
CREATE UNIQUE INDEX "environments_one_production" ON "environments"("business_id") WHERE "kind" = 'production';
CREATE UNIQUE INDEX "environments_one_account" ON "environments"("kind") WHERE "kind" = 'account';
CREATE UNIQUE INDEX "environments_one_primary" ON "environments"("is_primary") WHERE "is_primary";
CREATE UNIQUE INDEX "organizations_one_default" ON "organizations"("environment_id") WHERE "is_default";
CREATE UNIQUE INDEX "identities_one_primary" ON "identities"("environment_id", "user_id", "type") WHERE "is_primary";
