import { html } from '@rentapi/platform/html';

interface PageButton {
  name: string;
  label: string;
}

/** A page of a fake provider, without scripts: each button is a form that posts `action` to the page's own address. */
export function fakePage(provider: string, lines: readonly string[], buttons: readonly PageButton[]): string {
  const forms = buttons.map(
    ({ name, label }) =>
      html`<form method="post"><input type="hidden" name="action" value="${name}"><button>${label}</button></form>`,
  );
  const title = `${provider} (fake)`;
  return html`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title>
<main><h1>${title}</h1><p>No money moves here.</p>
${lines.map((line) => html`<p>${line}</p>`)}
${forms}</main></html>`.text;
}
