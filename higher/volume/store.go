package volume

import (
	"encoding/json"
	"fmt"

	bolt "go.etcd.io/bbolt"
)

var bucket = []byte("volumes")

// A record is a volume as the database has it. It is written before the volume's directory is made.
type record struct {
	Name    string
	Created string // RFC 3339
	Labels  map[string]string
	Options map[string]string
	For     string `json:",omitempty"` // the container that it was made for, if nobody gave it a name
	Removed bool   `json:",omitempty"` // its directory is being removed
}

// store keeps records in the database.
type store struct{ db *bolt.DB }

func openStore(db *bolt.DB) (*store, error) {
	err := db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot prepare the database of volumes: %w", err)
	}
	return &store{db}, nil
}

func (s *store) all() ([]record, error) {
	var all []record
	err := s.db.View(func(tx *bolt.Tx) error {
		return tx.Bucket(bucket).ForEach(func(name, value []byte) error {
			var r record
			if err := json.Unmarshal(value, &r); err != nil {
				return fmt.Errorf("cannot read the record of volume %s: %w", name, err)
			}
			all = append(all, r)
			return nil
		})
	})
	return all, err
}

func (s *store) put(r record) error {
	value, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("internal error: cannot encode volume %s: %w", r.Name, err)
	}
	err = s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte(r.Name), value) })
	if err != nil {
		return fmt.Errorf("cannot record volume %s: %w", r.Name, err)
	}
	return nil
}

func (s *store) delete(name string) error {
	err := s.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(bucket).Delete([]byte(name)) })
	if err != nil {
		return fmt.Errorf("cannot take volume %s off the database: %w", name, err)
	}
	return nil
}
