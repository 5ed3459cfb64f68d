/** What a group of routes is registered with. */
export interface RouteGroupOptions<Dependencies> {
  /** What its requests use; null where the routes are described and answer nothing. */
  readonly serve: Dependencies | null;
}

/**
 * The handler that `build` makes of what requests use. Routes that are only described get one that throws:
 * nothing else of a route depends on a service that runs.
 */
export function handlerFor<Dependencies, Handler>(
  serve: Dependencies | null,
  build: (dependencies: Dependencies) => Handler,
): Handler | (() => never) {
  return serve === null ? refuseToAnswer : build(serve);
}

function refuseToAnswer(): never {
  throw new Error('this route is described only');
}
