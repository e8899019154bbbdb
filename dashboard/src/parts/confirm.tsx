import type { ReactNode } from "react";

import { Failed } from "./answer.tsx";
import { useModal } from "./modal.ts";

interface Given {
  title: string;
  /** What the button that does it says. */
  action: string;
  busy: boolean;
  error: Error | null;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** Asks before something is done that others notice. Escape and Cancel do nothing; what failed is said where it was asked. */
export function Confirm({ title, action, busy, error, onConfirm, onClose, children }: Given) {
  const dialog = useModal();
  return (
    <dialog
      ref={dialog}
      className="confirm"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2>{title}</h2>
      {children}
      {error !== null && <Failed error={error} />}
      <p className="buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="main" disabled={busy} onClick={onConfirm}>
          {action}
        </button>
      </p>
    </dialog>
  );
}
