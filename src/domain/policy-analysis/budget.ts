/** How many steps are left to spend; a question that needs more is not answered. */
export interface Budget {
  steps: number;
}
