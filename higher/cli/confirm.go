package cli

import (
	"bufio"
	"context"
	"fmt"
	"strings"
)

// Confirm asks on the standard output and reads the answer; only y is yes. It ends early with ctx.
func (a *App) Confirm(ctx context.Context, question string) (bool, error) {
	fmt.Fprintf(a.Out, "%s [y/N] ", question)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(a.In).ReadString('\n')
		answer <- line
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(a.Out)
		return false, ErrCancelled
	case line := <-answer:
		return strings.EqualFold(strings.TrimSpace(line), "y"), nil
	}
}
