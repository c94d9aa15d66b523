package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/dhow-containers/dhow/integration"
)

// A profile says whether the bundles carry Docker's seccomp profile.
type profile string

const (
	plain   profile = "plain"
	seccomp profile = "seccomp"
)

// bundles are made before anything is measured.
type bundles struct {
	brief, long string // directories: `true`, and a sleep
}

func makeBundles(dir string, p profile) (b bundles, err error) {
	edits := []integration.Edit{}
	if p == seccomp {
		edits = append(edits, integration.DockerSeccomp)
	}
	if b.brief, err = makeBundle(filepath.Join(dir, "brief-"+string(p)), edits...); err != nil {
		return b, err
	}
	b.long, err = makeBundle(filepath.Join(dir, "long-"+string(p)), append(edits, integration.Args("sleep", "100000"))...)
	return b, err
}

func makeBundle(dir string, edits ...integration.Edit) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	_, err := integration.NewBundle(dir, edits...)
	return dir, err
}

// series collects the samples of one verb of one side under one profile.
type series map[key][]sample

type key struct {
	Verb, Side string
	Profile    profile
}

type bench struct {
	tools   tools
	sides   []*side
	samples series
}

func (b *bench) take(s *side, p profile, verb string, argv ...string) error {
	got, err := b.tools.measure(s.env, argv...)
	if err != nil {
		return err
	}
	k := key{Verb: verb, Side: s.name, Profile: p}
	b.samples[k] = append(b.samples[k], got)
	return nil
}

// measureProfile takes n samples of every verb, the sides in turn within each round. One more round
// before them warms caches and is thrown away.
func (b *bench) measureProfile(p profile, made bundles, n int) error {
	sleepers := map[*side]string{}
	for _, s := range b.sides {
		id, remove, err := s.running(made.long)
		if err != nil {
			return err
		}
		defer remove()
		sleepers[s] = id
	}
	for round := range n + 1 {
		for _, s := range b.sides {
			if err := b.round(s, p, made, sleepers[s]); err != nil {
				return err
			}
		}
		if round == 0 {
			for k := range b.samples {
				if k.Profile == p {
					delete(b.samples, k)
				}
			}
		}
	}
	return nil
}

func (b *bench) round(s *side, p profile, made bundles, sleeper string) error {
	if err := b.take(s, p, "run true", s.argv("run", "--bundle", made.brief, s.id())...); err != nil {
		return err
	}
	if err := b.take(s, p, "exec true", s.argv("exec", sleeper, "true")...); err != nil {
		return err
	}
	id := s.id()
	defer func() { _, _ = s.call("delete", "--force", id) }()
	if err := b.take(s, p, "create", s.argv("create", "--bundle", made.brief, id)...); err != nil {
		return err
	}
	if err := b.take(s, p, "state", s.argv("state", id)...); err != nil {
		return err
	}
	if err := b.take(s, p, "start", s.argv("start", id)...); err != nil {
		return err
	}
	if err := s.awaitStopped(id); err != nil {
		return err
	}
	return b.take(s, p, "delete", s.argv("delete", id)...)
}

// measureVersions compares the least a program can do with a Go program that does nothing.
func (b *bench) measureVersions(empty string, n int) error {
	idle := &side{name: "empty Go program", path: empty}
	for range n {
		for _, s := range b.sides {
			if err := b.take(s, plain, "--version", s.path, "--version"); err != nil {
				return err
			}
		}
		if err := b.take(idle, plain, "--version", empty); err != nil {
			return err
		}
	}
	return nil
}

func buildEmpty(dir string) (string, error) {
	out := filepath.Join(dir, "empty")
	if err := integration.BuildStatic(out, "./integration/bench/empty"); err != nil {
		return "", fmt.Errorf("cannot build the program to compare with: %w", err)
	}
	return out, nil
}
