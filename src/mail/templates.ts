/** The mails that Gatehouse writes, each as text and as HTML. */
import { html } from 'hono/html';
import type { Mail } from './sender.ts';

interface Letter {
  readonly to: string;
  readonly subject: string;
  readonly heading: string;
  readonly paragraphs: readonly string[];
  /** Shown large. */
  readonly code?: string;
  readonly action?: { readonly label: string; readonly link: string };
}

/** A one-time code; the subject does not hold it. */
export function codeMail(input: {
  to: string;
  code: string;
  minutes: number;
  applicationName: string;
  purpose: 'sign_in' | 'sign_up' | 'have_account' | 'reset_password' | 'mfa';
}): Mail {
  const doing = {
    sign_in: `sign in to ${input.applicationName}`,
    sign_up: `finish signing up for ${input.applicationName}`,
    have_account: `sign in to ${input.applicationName}. You have an account with this address already`,
    reset_password: `set a new password for ${input.applicationName}`,
    mfa: `prove that it is you who signs in to ${input.applicationName}`,
  }[input.purpose];
  return letter({
    to: input.to,
    subject: `Your code for ${input.applicationName}`,
    heading: 'Your one-time code',
    paragraphs: [
      `Use this code to ${doing}.`,
      `It works once, within ${lasting(input.minutes)}. If you did not ask for it, you can ignore this mail: nobody can use it without reading your mailbox.`,
    ],
    code: input.code,
  });
}

/** What comes in the place of a code where nobody may see on the page whether there is an account. */
export function noAccountMail({ to, applicationName }: { to: string; applicationName: string }): Mail {
  return letter({
    to,
    subject: `Signing in to ${applicationName}`,
    heading: 'There is no account for this address',
    paragraphs: [
      `Somebody has asked to sign in to ${applicationName} with this address. It has no account there, so this mail holds no code. If it was you, try another address, or sign up.`,
      'If you did not ask, you can ignore this mail.',
    ],
  });
}

/** An invitation to a business's team. */
export function teamInvitationMail(input: { to: string; businessName: string; link: string }): Mail {
  return letter({
    to: input.to,
    subject: `You are invited to the team of ${input.businessName}`,
    heading: `Join ${input.businessName}`,
    paragraphs: [
      `You have been invited to the team of ${input.businessName}. Sign in with this address to accept; the invitation is open for seven days.`,
    ],
    action: { label: 'Accept the invitation', link: input.link },
  });
}

/** An invitation of an end user into an organization. */
export function organizationInvitationMail(input: { to: string; organizationName: string; link: string }): Mail {
  return letter({
    to: input.to,
    subject: `You are invited to ${input.organizationName}`,
    heading: `Join ${input.organizationName}`,
    paragraphs: [`You have been invited to ${input.organizationName}. The invitation is for this address, and open for seven days.`],
    action: { label: 'Accept the invitation', link: input.link },
  });
}

function lasting(minutes: number): string {
  return minutes >= 120 ? `${Math.round(minutes / 60)} hours` : minutes === 1 ? 'one minute' : `${minutes} minutes`;
}

function letter(content: Letter): Mail {
  const { to, subject, heading, paragraphs, code, action } = content;
  const [first, ...rest] = paragraphs;
  const text = [first, code, action && `${action.label}: ${action.link}`, ...rest].filter(Boolean).join('\n\n');
  const paragraph = (words: string) => html`<p style="margin:0 0 16px;line-height:1.5">${words}</p>`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${subject}</title></head>
<body style="margin:0;padding:32px 16px;background:#f4f4f5;color:#18181b;font:16px system-ui,sans-serif">
<div style="max-width:440px;margin:0 auto;padding:32px;background:#fff;border-radius:12px">
<h1 style="margin:0 0 16px;font-size:20px">${heading}</h1>
${paragraph(first ?? '')}
${code ? html`<p style="margin:0 0 16px;font:600 32px ui-monospace,monospace;letter-spacing:6px">${code}</p>` : ''}
${action ? html`<p style="margin:0 0 16px"><a href="${action.link}" style="display:inline-block;padding:12px 20px;border-radius:8px;background:#18181b;color:#fff;text-decoration:none">${action.label}</a></p>` : ''}
${rest.map(paragraph)}
</div></body></html>`;
  return { to, subject, text, html: String(page) };
}
