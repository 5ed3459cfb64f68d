/** The child's end of the channel to the benchmark; processes.ts is the other. */
import { z } from 'zod';

/** A question to a child process, and its answer. `id` pairs them. */
export const questionSchema = z.object({ id: z.int(), kind: z.string(), argument: z.unknown() });
export const answerSchema = z.object({ id: z.int(), value: z.unknown() });

/** The first message of a child: it is ready, and its port (0 for none). */
export const announcementSchema = z.object({ port: z.int() });

/** Answers every question of one kind; questions of other kinds are left to other listeners. */
export function answer<Schema extends z.ZodType>(
  kind: string,
  argumentSchema: Schema,
  respond: (argument: z.output<Schema>) => unknown,
): void {
  process.on('message', (message) => {
    const question = questionSchema.parse(message);
    if (question.kind === kind) void reply(question.id, respond(argumentSchema.parse(question.argument)));
  });
}

/** See announcementSchema. */
export function announce(port: number): void {
  process.send?.({ port } satisfies z.output<typeof announcementSchema>);
}

async function reply(id: number, value: unknown): Promise<void> {
  process.send?.({ id, value: (await value) ?? null } satisfies z.output<typeof answerSchema>);
}
