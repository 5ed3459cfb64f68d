// An `import` of node:http reads all that it exports, and for `WebSocket` that loads Node's own copy of undici:
// 25 ms and 3 MB of every start. Nothing is loaded this way.
const { METHODS: methods, STATUS_CODES: statusCodes } = process.getBuiltinModule('node:http');

/** The methods that node:http reads, `CONNECT` among them. */
export const METHODS: readonly string[] = methods;

/** The words beside a status, by its number. */
export const STATUS_CODES: Readonly<Record<number, string | undefined>> = statusCodes;
