// Undo and redo over immutable states. In: each new state. Out: the state in force; pure.

export class History<T> {
  #past: T[] = []
  #future: T[] = []
  #present: T

  constructor(present: T) {
    this.#present = present
  }

  get present(): T {
    return this.#present
  }

  get canUndo(): boolean {
    return this.#past.length > 0
  }

  get canRedo(): boolean {
    return this.#future.length > 0
  }

  push(next: T): void {
    this.#past.push(this.#present)
    this.#future = []
    this.#present = next
  }

  undo(): boolean {
    return this.#step(this.#past, this.#future)
  }

  redo(): boolean {
    return this.#step(this.#future, this.#past)
  }

  /** Forgets everything but this state. */
  reset(present: T): void {
    this.#past = []
    this.#future = []
    this.#present = present
  }

  #step(from: T[], to: T[]): boolean {
    if (from.length === 0) return false
    to.push(this.#present)
    this.#present = from.pop() as T
    return true
  }
}
