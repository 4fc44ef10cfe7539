import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import type { z } from 'zod';

/** Thrown to answer a request with an error that is the caller's to mend. */
export class HttpError extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
    readonly reasons?: string[],
  ) {
    super(message);
  }
}

export type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

export const json = (statusCode: number, body: unknown): APIGatewayProxyStructuredResultV2 => ({
  statusCode,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/** Checks a value against a schema; refuses it with every reason at once. */
export function valid<S extends z.ZodTypeAny>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const reasons = result.error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  throw new HttpError(400, 'The request is not valid', reasons);
}

/** The JSON body of a request, checked against a schema. */
export function body<S extends z.ZodTypeAny>(schema: S, event: APIGatewayProxyEventV2): z.output<S> {
  const text = event.isBase64Encoded ? Buffer.from(event.body ?? '', 'base64').toString() : (event.body ?? '');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpError(400, 'The body is not JSON');
  }
  return valid(schema, value);
}

/** Turns an `HttpError` into its answer. Any other error is a fault of ours: it is logged, and answered with 500 by the platform. */
export const route =
  (handler: Handler): Handler =>
  async (event) => {
    try {
      return await handler(event);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      return json(error.statusCode, { message: error.message, reasons: error.reasons });
    }
  };
