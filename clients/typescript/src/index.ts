export { answered, createClient, type Options, type SupportApi } from "./client.ts";
export { ApiError, type ErrorCode, type Problem } from "./error.ts";
export { type Job, type Listening, subscribe, type VersionPublished } from "./events.ts";
export type { components, operations, paths } from "./schema.ts";
