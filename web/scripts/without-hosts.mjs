// The generator's own comments link to a package registry; nothing committed here names one.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const client = new URL('../src/client/', import.meta.url);
for (const name of readdirSync(client, { recursive: true })) {
  if (!name.endsWith('.ts')) continue;
  const file = new URL(name, client);
  const text = readFileSync(file, 'utf8');
  const cleaned = text.replace(/\{@link https:\/\/www\.npm[^}`]*(`[^`]*`)\}/g, '$1');
  if (cleaned !== text) writeFileSync(file, cleaned);
}
