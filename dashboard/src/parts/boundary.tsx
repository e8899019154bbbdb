import { Component, type ReactNode } from "react";

import { Failed } from "./answer.tsx";

/** What goes wrong while a page is shown, its files being gone after a release mostly, is said in the place of the page. */
export class Boundary extends Component<{ children: ReactNode }, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render() {
    const { error } = this.state;
    return error === null ? this.props.children : <Failed error={error} again={() => location.reload()} />;
  }
}
