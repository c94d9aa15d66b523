package container

// undo collects what takes back a half-made container, and runs it in reverse.
type undo []func()

func (u *undo) add(f func()) { *u = append(*u, f) }

// run takes everything back, unless release was called.
func (u *undo) run() {
	for i := len(*u) - 1; i >= 0; i-- {
		(*u)[i]()
	}
	*u = nil
}

func (u *undo) release() { *u = nil }
