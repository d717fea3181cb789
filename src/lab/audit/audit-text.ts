/** An audit for a terminal: what was checked, on what, and what was found. */
import { textTable } from '#src/report/text-table.js';
import { AUDIT_CHECKS, type AuditCheck, type AuditFinding, type AuditReport } from './findings.js';

export function auditText({ checks, clean }: AuditReport): string[] {
  const rows = checks.map(({ name, subject, done, skipped, findings }) => [
    name,
    subject,
    skipped === null ? done : `not checked: ${skipped}`,
    resultOf(findings, skipped),
  ]);
  const findings = checks.flatMap((check) => check.findings.map((finding) => ({ check, finding })));
  const leaks = findings.filter(({ finding }) => finding.level === 'leak');
  const warnings = findings.length - leaks.length;
  return [
    leftTable([['check', 'on', 'tried', 'result'], ...rows]),
    ...(findings.length === 0 ? [] : ['']),
    ...findings.map(line),
    '',
    clean
      ? `No look-ahead found${warnings === 0 ? '' : `, ${counted(warnings, 'warning')}`}: ${checks.filter(({ skipped }) => skipped === null).length} checks.`
      : `LOOK-AHEAD: ${counted(leaks.length, 'leak')} found by ${[...new Set(leaks.map(({ finding }) => finding.check))].join(', ')}.`,
  ];
}

function line({ check, finding }: { check: AuditCheck; finding: AuditFinding }): string {
  const head = finding.level === 'leak' ? 'LEAK' : 'warning';
  return `${head} ${finding.check} [${check.subject}] ${finding.where}: ${finding.message}. (What must hold: ${AUDIT_CHECKS[finding.check]}.)`;
}

function resultOf(findings: readonly AuditFinding[], skipped: string | null): string {
  if (skipped !== null) return '-';
  const leaks = findings.filter(({ level }) => level === 'leak').length;
  if (leaks > 0) return `LEAK (${leaks})`;
  return findings.length > 0 ? `warning (${findings.length})` : 'clean';
}

/** All columns to the left: these are words. */
function leftTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, k) => Math.max(...rows.map((row) => row[k].length)));
  const padded = rows.map((row) => row.map((cell, k) => cell.padEnd(widths[k])));
  return textTable(padded)
    .split('\n')
    .map((text) => text.trimEnd())
    .join('\n');
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
