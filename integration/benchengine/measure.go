package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/dhow-containers/dhow/integration"
)

// A measurement is done by each side in each round; the first round is thrown away.
type measurement struct {
	name   string
	rounds func(n int) int
	do     func(b *bench, s side, round, many int) error
}

func all(n int) int   { return n }
func tenth(n int) int { return max(n/10, 3) }
func once(int) int    { return 0 }

func measurements() []measurement {
	return []measurement{
		{"idle", once, (*bench).idle},
		{"run", all, (*bench).runs},
		{"life", all, (*bench).life},
		{"parallel", tenth, (*bench).parallel},
		{"logs", tenth, (*bench).logs},
		{"pull", tenth, (*bench).pull},
		{"many", once, (*bench).many},
	}
}

func names() string {
	var all []string
	for _, m := range measurements() {
		all = append(all, m.name)
	}
	return strings.Join(all, ",")
}

func (b *bench) measure(only string, many int) error {
	for _, m := range measurements() {
		if only != "" && !strings.Contains(","+only+",", ","+m.name+",") {
			continue
		}
		rounds := m.rounds(b.n)
		for round := range rounds + 1 {
			b.discard = round == 0 && rounds > 0
			for _, s := range b.sides {
				if err := m.do(b, s, round, many); err != nil {
					return fmt.Errorf("%s: %s: %w", s.name, m.name, err)
				}
			}
		}
	}
	return nil
}

// timed measures one command line.
func (b *bench) timed(what string, s side, args ...string) error {
	begin := time.Now()
	_, err := s.Do(args...)
	b.add(what+", ms", s, ms(begin))
	return err
}

func ms(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

func (b *bench) runs(s side, _, _ int) error {
	for _, network := range []string{"bridge", "none", "host"} {
		if err := b.timed("run --rm true, network "+network, s, "run", "--rm", "--network", network, "busybox", "true"); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) life(s side, _, _ int) error {
	for _, step := range [][]string{
		{"create", "--name", "life", "busybox", "sleep", "1000"}, {"start", "life"}, {"exec", "life", "true"},
		{"kill", "life"}, {"rm", "life"},
	} {
		if err := b.timed(step[0], s, step...); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) parallel(s side, _, _ int) error {
	const width = 20
	begin, results := time.Now(), make(chan error, width)
	for range width {
		go func() {
			_, err := s.Do("run", "--rm", "busybox", "true")
			results <- err
		}()
	}
	var err error
	for range width {
		err = errors.Join(err, <-results)
	}
	b.add(fmt.Sprintf("%d × run --rm true at once, ms", width), s, ms(begin))
	return err
}

const logLines = 100_000

// logs writes many lines, and reads them.
func (b *bench) logs(s side, _, _ int) error {
	begin := time.Now()
	if _, err := s.Do("run", "-d", "--name", "logs", "busybox", "sh", "-c", fmt.Sprintf("yes 'a line of a log, as long as many' | head -n %d", logLines)); err != nil {
		return err
	}
	if _, err := s.Do("wait", "logs"); err != nil {
		return err
	}
	b.add("a container that logs 100,000 lines, ms", s, ms(begin))
	begin = time.Now()
	cmd := s.Command(context.Background(), "logs", "logs")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, out)
	if err = errors.Join(err, cmd.Wait()); err != nil {
		return err
	}
	b.add("logs of 100,000 lines, ms", s, ms(begin))
	if n < logLines {
		return fmt.Errorf("logs: only %d bytes", n)
	}
	if err := b.timed("logs --tail 10 of 100,000", s, "logs", "--tail", "10", "logs"); err != nil {
		return err
	}
	_, err = s.Do("rm", "logs")
	return err
}

// pull pulls nine layers from a registry on this machine.
func (b *bench) pull(s side, _, _ int) error {
	if _, err := exec.LookPath("docker-registry"); err != nil {
		return nil
	}
	if b.registry == nil {
		var err error
		if b.registry, err = integration.StartRegistry(s.Engine.Dir, ""); err != nil {
			return err
		}
		if err := integration.PushLayers(s.Client, b.registry.Address+"/nine:1", 9); err != nil {
			return err
		}
	}
	ref := b.registry.Address + "/nine:1"
	if _, err := s.Do("rmi", "-f", ref); err != nil && !strings.Contains(err.Error(), "No such image") {
		return err
	}
	return b.timed("pull of nine layers", s, "pull", "-q", ref)
}
