/** The words for how strictly people are asked to prove who they are: an environment's policies, and an organization's in their place. */

export const MFA_POLICIES = ['off', 'optional', 'required'] as const;
export type MfaPolicy = (typeof MFA_POLICIES)[number];

export const MFA_FACTORS = ['email', 'sms', 'authenticator_app'] as const;
export type MfaFactorKind = (typeof MFA_FACTORS)[number];

export const PASSKEY_POLICIES = ['off', 'optional', 'mandatory'] as const;
export type PasskeyPolicy = (typeof PASSKEY_POLICIES)[number];
