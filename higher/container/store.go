package container

import (
	"encoding/json"
	"fmt"
	"sync"

	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("containers")

// store keeps records. A write returns when it is on the disk. Writes that come while another is under way go together
// in the next transaction, so that many at once cost two.
type store struct {
	db *bolt.DB

	mu    sync.Mutex
	queue []write
	busy  bool
}

// write is a record to put, or to delete if it has no content.
type write struct {
	id   string
	raw  []byte
	done chan error
}

func openStore(db *bolt.DB) (*store, error) {
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot open the database of containers: %w", err)
	}
	return &store{db: db}, nil
}

func (s *store) load() ([]*Record, error) {
	var all []*Record
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(id, raw []byte) error {
			r := &Record{}
			if err := json.Unmarshal(raw, r); err != nil {
				return fmt.Errorf("cannot read the record of container %s: %w", id, err)
			}
			all = append(all, r)
			return nil
		})
	})
	return all, err
}

func (s *store) put(r *Record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.write(write{id: r.ID, raw: raw})
}

func (s *store) delete(id string) error { return s.write(write{id: id}) }

func (s *store) write(w write) error {
	w.done = make(chan error, 1)
	s.mu.Lock()
	s.queue = append(s.queue, w)
	if !s.busy {
		s.busy = true
		go s.flush()
	}
	s.mu.Unlock()
	if err := <-w.done; err != nil {
		return fmt.Errorf("cannot write the record of container %s: %w", w.id, err)
	}
	return nil
}

// flush commits until nothing is left.
func (s *store) flush() {
	for {
		s.mu.Lock()
		batch := s.queue
		s.queue = nil
		s.busy = len(batch) > 0
		s.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		err := s.db.Update(func(tx *bolt.Tx) error { return apply(tx.Bucket(bucket), batch) })
		for _, w := range batch {
			w.done <- err
		}
	}
}

func apply(b *bolt.Bucket, batch []write) error {
	for _, w := range batch {
		var err error
		if w.raw == nil {
			err = b.Delete([]byte(w.id))
		} else {
			err = b.Put([]byte(w.id), w.raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
