/** The words of sign-in policies in the graph. */
import { builder } from '../../graphql/builder.ts';

export const MfaPolicyEnum = builder.enumType('MfaPolicy', {
  description: 'Whether people are asked for a second factor.',
  values: {
    OFF: { value: 'off', description: 'Nobody is.' },
    OPTIONAL: { value: 'optional', description: 'Who wants to be.' },
    REQUIRED: { value: 'required', description: 'Everybody is.' },
  },
});

export const MfaFactorKindEnum = builder.enumType('MfaFactorKind', {
  description: 'A second factor.',
  values: {
    EMAIL: { value: 'email', description: 'A code by mail.' },
    SMS: { value: 'sms', description: 'A code by text message.' },
    AUTHENTICATOR_APP: { value: 'authenticator_app', description: 'A code that an app on the person’s device makes.' },
  },
});

export const PasskeyPolicyEnum = builder.enumType('PasskeyPolicy', {
  description: 'Whether people sign in with passkeys.',
  values: {
    OFF: { value: 'off', description: 'Nobody can.' },
    OPTIONAL: { value: 'optional', description: 'Who wants to.' },
    MANDATORY: { value: 'mandatory', description: 'Everybody must.' },
  },
});
