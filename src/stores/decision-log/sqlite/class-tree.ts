/** A class, or what several have in common: reached by what is told apart, one after the other. */
export class ClassNode {
  /** The number of what was found for the class; null where it was not looked for yet. */
  outcome: number | null = null;
  children: Map<unknown, ClassNode> | null = null;
}

/**
 * The classes of records. A walk along what is told apart of a record takes less than to make a text of it, and to
 * look that up.
 */
export class ClassTree {
  readonly #nodesMax: number;
  #root = new ClassNode();
  #nodes = 0;

  /** With so many nodes, of some hundred bytes each, it is `isFull`. */
  constructor(nodesMax: number) {
    this.#nodesMax = nodesMax;
  }

  get root(): ClassNode {
    return this.#root;
  }

  get isFull(): boolean {
    return this.#nodes >= this.#nodesMax;
  }

  /** The node below one for a value, which is told apart by its type too. */
  below(node: ClassNode, value: unknown): ClassNode {
    node.children ??= new Map();
    let child = node.children.get(value);
    if (child === undefined) {
      child = new ClassNode();
      node.children.set(value, child);
      this.#nodes += 1;
    }
    return child;
  }

  clear(): void {
    this.#root = new ClassNode();
    this.#nodes = 0;
  }
}
