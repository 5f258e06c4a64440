/** What a start prints for the person at the terminal. */
import type { Config } from '../config.ts';
import type { Quickstart } from '../features/seed/service.ts';

export function welcome(config: Config, quickstart: Quickstart | undefined): string {
  const lines = [`Gatehouse is ready at ${config.baseUrl}`];
  const row = (label: string, value: string) => lines.push(`  ${label.padEnd(18)} ${value}`);
  if (quickstart) {
    lines.push('', 'This was the first start, so there is a business to try things with:', '');
    row('Issuer', quickstart.issuer);
    row('GraphQL', quickstart.graphqlUrl);
    row('Mailbox', `${config.baseUrl}/dev/mailbox`);
    row('Owner', `${quickstart.owner.email}, who signs in by npm run example -- team`);
    for (const application of quickstart.applications) row(`${application.type} application`, application.clientId);
    lines.push('', `Client secrets and URLs are in ${config.dataDir}/quickstart.json`);
  }
  if (!config.databaseUrl) {
    lines.push('', `Data is in ${config.dataDir}, in the embedded database: right for trying, developing and small installations.`);
    lines.push('To outgrow it, set DATABASE_URL=postgres://… and see docs/operations.md.');
  }
  return `${lines.join('\n')}\n`;
}
