/** Reads the development mailbox. */
import type { Database } from '../db/client.ts';
import type { Mail } from './sender.ts';

export interface DevelopmentMail extends Mail {
  readonly from: string;
  readonly sentAt: Date;
}

/** The latest hundred mails, newest first. */
export async function listDevelopmentMail(database: Database): Promise<DevelopmentMail[]> {
  return database.prisma.developmentMail.findMany({
    orderBy: [{ sentAt: 'desc' }, { id: 'desc' }],
    take: 100,
    select: { to: true, from: true, subject: true, text: true, html: true, sentAt: true },
  });
}
