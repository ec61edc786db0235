const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for an element or a quoted attribute; what would steer or hide (control, bidi) shows as a sign of its own. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, '\u{FFFD}')
    .replaceAll(/[&<>"']/g, (found) => ENTITIES[found] ?? '');
