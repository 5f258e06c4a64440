/** Every page of a sign-in attempt, by its step. */
import type { Step } from '../../features/sign-in-attempts/service.ts';
import { html } from '../../pages/layout.ts';
import { codeStep } from './code.ts';
import { consentStep } from './consent.ts';
import { deviceStep } from './device.ts';
import { identifyStep, notFoundStep } from './identifier.ts';
import { invitationStep } from './invitation.ts';
import { mfaChallengeStep, mfaRecoveryStep } from './mfa-challenge.ts';
import { mfaAddressStep, mfaAppStep, mfaNewCodeStep } from './mfa-enrolment.ts';
import { mfaChooseStep, mfaOfferStep } from './mfa-offer.ts';
import { mfaPhoneStep } from './mfa-phone.ts';
import { mfaRecoveryCodesStep } from './mfa-recovery-codes.ts';
import { organizationStep } from './organization.ts';
import { organizationNameStep } from './organization-name.ts';
import { passkeyOffStep, passkeySetupStep } from './passkey.ts';
import { newPasswordStep, passwordStep } from './password.ts';
import { provideEmailStep } from './provide-email.ts';
import type { StepDefinition } from './step.ts';
import { termsStep } from './terms.ts';

export const STEPS: Readonly<Record<Step, StepDefinition>> = {
  identify: identifyStep,
  provide_email: provideEmailStep,
  not_found: notFoundStep,
  code: codeStep,
  password: passwordStep,
  new_password: newPasswordStep,
  organization: organizationStep,
  organization_name: organizationNameStep,
  passkey_setup: passkeySetupStep,
  passkey_off: passkeyOffStep,
  invitation: invitationStep,
  mfa_offer: mfaOfferStep,
  mfa_choose: mfaChooseStep,
  mfa_app: mfaAppStep,
  mfa_address: mfaAddressStep,
  mfa_phone: mfaPhoneStep,
  mfa_new_code: mfaNewCodeStep,
  mfa_challenge: mfaChallengeStep,
  mfa_recovery: mfaRecoveryStep,
  mfa_recovery_codes: mfaRecoveryCodesStep,
  terms: termsStep,
  device: deviceStep,
  consent: consentStep,
  completed: {
    show: ({ say, homepageUri, applicationName: application }) => ({
      title: say('completed.title'),
      body: html`<h1>${say('completed.title')}</h1><p class="lead">${say('completed.lead')}</p>
${homepageUri ? html`<p><a class="primary" href="${homepageUri}">${say('page.back_to_application', { application })}</a></p>` : ''}`,
    }),
    forms: {},
  },
};
