import type { ReactNode } from "react";

import { useModal } from "./modal.ts";

interface Given {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet over the page. The browser keeps the focus inside and gives it back; Escape and the space outside close it. */
export function Drawer({ title, onClose, children }: Given) {
  const dialog = useModal();
  return (
    <dialog
      ref={dialog}
      className="drawer"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={({ target }) => target === dialog.current && onClose()}
    >
      <div className="drawer-body">
        <header>
          <h2>{title}</h2>
          <button type="button" className="plain" onClick={onClose} aria-label="Close">
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
