// Bytes in and bytes out: the one file of a multipart upload, and a download with its validator and ranges.
import type { MultipartFile } from '@fastify/multipart';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Download, Upload } from '../context/call.ts';
import type { UploadSpec } from '../contract/contract.ts';
import { libraryProblem } from '../contract/problem.ts';
import { uploadWanted } from './body.ts';
import { BODY_TOO_LARGE } from './problems.ts';

/** Reads the file of an upload whole; needs @fastify/multipart on the instance. `most` bounds the body, in bytes. */
export async function readUpload(request: FastifyRequest, spec: UploadSpec, most: number): Promise<Upload> {
  const wrong = (message: string) =>
    libraryProblem('invalid', {
      detail: uploadWanted(spec.field),
      errors: [{ path: `/${spec.field}`, message }],
    });
  if (!request.isMultipart()) {
    throw libraryProblem('unsupported-media-type', { detail: uploadWanted(spec.field) });
  }
  if (Number(request.headers['content-length']) > most) throw tooLarge();
  let upload: Upload | undefined;
  try {
    for await (const part of request.parts({ limits: { fileSize: spec.maxBytes, files: 1, fields: 0 } })) {
      const file = part as MultipartFile;
      const bytes = await file.toBuffer();
      if (file.fieldname !== spec.field)
        throw wrong(`expected the file here, got the field "${file.fieldname}"`);
      upload = { filename: file.filename, contentType: file.mimetype, bytes };
    }
  } catch (error) {
    throw translate(error, spec);
  }
  if (!upload) throw wrong('is required');
  if (upload.bytes.length === 0) throw wrong('is empty');
  return upload;
}

const tooLarge = () => libraryProblem('too-large', { detail: BODY_TOO_LARGE });

function translate(error: unknown, spec: UploadSpec): unknown {
  const code = (error as { code?: string }).code ?? '';
  if (code === 'FST_REQ_FILE_TOO_LARGE') {
    return tooLarge();
  }
  if (code === 'FST_FILES_LIMIT' || code === 'FST_FIELDS_LIMIT' || code === 'FST_PARTS_LIMIT') {
    return libraryProblem('invalid', {
      detail: `Send one file in the field "${spec.field}" and no other field.`,
      errors: [{ path: `/${spec.field}`, message: 'must be the only part' }],
    });
  }
  if (error instanceof Error && error.name !== 'Problem') {
    return libraryProblem('malformed', {
      detail: 'The multipart body is broken or was cut off.',
      cause: error,
    });
  }
  return error;
}

/** Answers 200, 206, 304 or 416 by the request's conditional and range headers (RFC 9110). */
export function sendDownload(request: FastifyRequest, reply: FastifyReply, file: Download): FastifyReply {
  const etag = `"${file.etag}"`;
  reply
    .header('etag', etag)
    .header('cache-control', file.cacheControl)
    .header('accept-ranges', 'bytes')
    .header('content-type', file.contentType)
    .header('x-content-type-options', 'nosniff');
  const known = request.headers['if-none-match'];
  if (known?.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)) {
    return reply.code(304).removeHeader('content-type').send();
  }
  const conditional = request.headers['if-range'];
  const range = conditional && conditional !== etag ? undefined : request.headers.range;
  const wanted = range === undefined ? undefined : singleRange(range, file.bytes.length);
  if (wanted === undefined) return reply.send(file.bytes);
  if (wanted === 'unsatisfiable') {
    reply
      .header('content-range', `bytes */${file.bytes.length}`)
      .header('cache-control', 'no-store')
      .removeHeader('etag');
    throw libraryProblem('range-not-satisfiable', { detail: `The file has ${file.bytes.length} bytes.` });
  }
  return reply
    .code(206)
    .header('content-range', `bytes ${wanted.first}-${wanted.last}/${file.bytes.length}`)
    .send(file.bytes.subarray(wanted.first, wanted.last + 1));
}

/** One byte range; undefined when there is none, several, or another unit: then the whole file is right. */
function singleRange(
  header: string,
  size: number,
): { first: number; last: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header.trim());
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const last = match[1] === '' ? size - 1 : Math.min(match[2] === '' ? size - 1 : Number(match[2]), size - 1);
  const first = match[1] === '' ? Math.max(size - Number(match[2]), 0) : Number(match[1]);
  if (match[1] === '' && Number(match[2]) === 0) return 'unsatisfiable';
  if (match[1] !== '' && match[2] !== '' && Number(match[2]) < Number(match[1])) return undefined;
  return first > last ? 'unsatisfiable' : { first, last };
}
