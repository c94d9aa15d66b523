package network

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	types "github.com/moby/moby/api/types/network"
	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("networks")

// store keeps networks in the database, and what containers hold in files.
type store struct {
	db  *bolt.DB
	dir string
}

func openStore(db *bolt.DB, dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the directory of network states: %w", err)
	}
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot prepare the database of networks: %w", err)
	}
	return &store{db: db, dir: dir}, nil
}

// A record is a network as the database has it.
type record struct {
	types.Network
	Borrowed bool `json:",omitempty"` // the bridge was there before the network, and stays
}

func (s *store) networks() ([]record, error) {
	var all []record
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(id, value []byte) error {
			var n record
			if err := json.Unmarshal(value, &n); err != nil {
				return fmt.Errorf("cannot read the record of network %s: %w", id, err)
			}
			all = append(all, n)
			return nil
		})
	})
	return all, err
}

func (s *store) putNetwork(n record) error {
	value, err := json.Marshal(n)
	if err != nil {
		return fmt.Errorf("internal error: cannot encode network %s: %w", n.Name, err)
	}
	err = s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte(n.ID), value) })
	if err != nil {
		return fmt.Errorf("cannot record network %s: %w", n.Name, err)
	}
	return nil
}

func (s *store) deleteNetwork(id string) error {
	err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(id)) })
	if err != nil {
		return fmt.Errorf("cannot take network %s off the database: %w", id, err)
	}
	return nil
}

const suffix = ".json"

// putSandbox writes the file of a container. Nothing is synchronised: it need not outlive the kernel.
func (s *store) putSandbox(b *Sandbox) error {
	value, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("internal error: cannot encode the network state of %s: %w", b.Container.ID, err)
	}
	path := filepath.Join(s.dir, b.Container.ID+suffix)
	if err := os.WriteFile(path+"~", value, 0o600); err != nil {
		return fmt.Errorf("cannot record the network state of container %s: %w", b.Container.ID, err)
	}
	return os.Rename(path+"~", path)
}

func (s *store) deleteSandbox(id string) error {
	err := os.Remove(filepath.Join(s.dir, id+suffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// A marker is there from when forwarding of a family was turned on by us until the host starts again.
const (
	marker4 = "forwarding"
	marker6 = "forwarding6"
)

func (s *store) marked(name string) bool {
	_, err := os.Stat(filepath.Join(s.dir, name))
	return err == nil
}

func (s *store) mark(name string) error {
	if err := os.WriteFile(filepath.Join(s.dir, name), nil, 0o600); err != nil {
		return fmt.Errorf("cannot record that forwarding was turned on: %w", err)
	}
	return nil
}

// sandboxes returns what all containers hold. A file that cannot be read says nothing about anything that is still
// there: it is removed.
func (s *store) sandboxes() ([]*Sandbox, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("cannot list the network states: %w", err)
	}
	var all []*Sandbox
	for _, e := range entries {
		if e.Name() == marker4 || e.Name() == marker6 {
			continue
		}
		path := filepath.Join(s.dir, e.Name())
		b := &Sandbox{}
		value, err := os.ReadFile(path)
		if err != nil || !strings.HasSuffix(e.Name(), suffix) || json.Unmarshal(value, b) != nil || b.Container.ID == "" {
			os.Remove(path)
			continue
		}
		all = append(all, b)
	}
	return all, nil
}
