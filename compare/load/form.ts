// A file as multipart/form-data (RFC 7578), whole in memory and always the same bytes.

const BOUNDARY = 'banyan-compare-0123456789';

export function formOf(name: string, { type, bytes }: { readonly type: string; readonly bytes: Uint8Array }) {
  const head = [
    `--${BOUNDARY}`,
    `content-disposition: form-data; name="file"; filename="${encodeURIComponent(name)}"`,
    `content-type: ${type}`,
    '',
    '',
  ].join('\r\n');
  return {
    type: `multipart/form-data; boundary=${BOUNDARY}`,
    bytes: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]),
  };
}
