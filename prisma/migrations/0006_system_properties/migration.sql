-- The properties that a business is born with, for those that were born before.
INSERT INTO "properties" ("business_id", "id", "key", "name", "type", "context", "is_private", "is_system")
SELECT b."id", 'prop_' || replace(gen_random_uuid()::text, '-', ''), p."key", p."name", p."type", p."context", true, true
FROM "businesses" b CROSS JOIN (VALUES
  ('user', 'kp_usr_city', 'City', 'single_line_text'),
  ('user', 'kp_usr_industry', 'Industry', 'single_line_text'),
  ('user', 'kp_usr_postcode', 'Postcode', 'single_line_text'),
  ('user', 'kp_usr_state_region', 'State region', 'single_line_text'),
  ('user', 'kp_usr_street_address', 'Street address', 'single_line_text'),
  ('user', 'kp_usr_street_address_2', 'Street address 2', 'single_line_text'),
  ('user', 'kp_usr_job_title', 'Job title', 'single_line_text'),
  ('user', 'kp_usr_middle_name', 'Middle name', 'single_line_text'),
  ('user', 'kp_usr_salutation', 'Salutation', 'single_line_text'),
  ('user', 'kp_usr_is_marketing_opt_in', 'Is marketing opt in', 'boolean'),
  ('organization', 'kp_org_city', 'City', 'single_line_text'),
  ('organization', 'kp_org_industry', 'Industry', 'single_line_text'),
  ('organization', 'kp_org_postcode', 'Postcode', 'single_line_text'),
  ('organization', 'kp_org_state_region', 'State region', 'single_line_text'),
  ('organization', 'kp_org_street_address', 'Street address', 'single_line_text'),
  ('organization', 'kp_org_street_address_2', 'Street address 2', 'single_line_text')
) AS p("context", "key", "name", "type");
