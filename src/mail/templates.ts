/** The mails that Gatehouse writes. */
import type { Language } from '../languages/languages.ts';
import { layOut, type Paper, sayOn } from './letter.ts';
import type { Mail } from './sender.ts';

/** A one-time code; the subject does not hold it. */
export function codeMail(
  paper: Paper,
  input: {
    to: string;
    code: string;
    minutes: number;
    applicationName: string;
    purpose: 'sign_in' | 'sign_up' | 'have_account' | 'reset_password' | 'mfa';
  },
): Mail {
  const say = sayOn(paper);
  const application = input.applicationName;
  return layOut(paper, {
    to: input.to,
    subject: say('mail.code.subject', { application }),
    heading: say('mail.code.heading'),
    lead: say(`mail.code.${input.purpose}`, { application }),
    code: input.code,
    rest: say('mail.code.lifetime', { time: lasting(paper.language, input.minutes) }),
  });
}

/** What comes in the place of a code where nobody may see on the page whether there is an account. */
export function noAccountMail(paper: Paper, { to, applicationName: application }: { to: string; applicationName: string }): Mail {
  const say = sayOn(paper);
  return layOut(paper, {
    to,
    subject: say('mail.no_account.subject', { application }),
    heading: say('mail.no_account.heading'),
    lead: say('mail.no_account.lead', { application }),
    rest: say('mail.no_account.ignore'),
  });
}

/** An invitation to a business's team. */
export function teamInvitationMail(paper: Paper, { to, businessName, link }: { to: string; businessName: string; link: string }): Mail {
  const say = sayOn(paper);
  return layOut(paper, {
    to,
    subject: say('mail.team_invitation.subject', { business: businessName }),
    heading: say('invitation.heading', { organization: businessName }),
    lead: say('mail.team_invitation.lead', { business: businessName }),
    action: { label: say('invitation.accept'), link },
  });
}

/** An invitation of an end user into an organization. */
export function organizationInvitationMail(
  paper: Paper,
  { to, organizationName: organization, link }: { to: string; organizationName: string; link: string },
): Mail {
  const say = sayOn(paper);
  return layOut(paper, {
    to,
    subject: say('mail.organization_invitation.subject', { organization }),
    heading: say('invitation.heading', { organization }),
    lead: say('mail.organization_invitation.lead', { organization }),
    action: { label: say('invitation.accept'), link },
  });
}

/** A test of an environment's sender. */
export function testMail(paper: Paper, to: string): Mail {
  const say = sayOn(paper);
  return layOut(paper, { to, subject: say('mail.test.subject'), heading: say('mail.test.subject'), lead: say('mail.test.lead') });
}

function lasting(language: Language, minutes: number): string {
  const [amount, unit] = minutes >= 120 ? [Math.round(minutes / 60), 'hour'] : [minutes, 'minute'];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}
