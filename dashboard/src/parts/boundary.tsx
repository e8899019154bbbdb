import { Component, type ReactNode } from "react";

import { Failed } from "./answer.tsx";

/** What goes wrong while a page is shown, its files being gone after a release mostly, is said in the place of the page. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    const why = error instanceof Error ? error.message : String(error);
    return { error: new Error(`This page cannot be shown; after a new release it has to be loaded again. ${why}`) };
  }

  override render() {
    const { error } = this.state;
    return error === null ? this.props.children : <Failed error={error} again={() => location.reload()} />;
  }
}
