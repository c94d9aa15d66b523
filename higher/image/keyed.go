package image

import (
	"context"
	"sync"
)

// keyed is a set of locks by name. The zero keyed is ready. It is an unpack.KeyedLocker.
type keyed struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	held chan struct{} // full while somebody holds it
	refs int
}

// Lock waits until nobody else holds key, or ctx ends.
func (k *keyed) Lock(ctx context.Context, key string) error {
	k.mu.Lock()
	if k.locks == nil {
		k.locks = map[string]*keyedLock{}
	}
	l := k.locks[key]
	if l == nil {
		l = &keyedLock{held: make(chan struct{}, 1)}
		k.locks[key] = l
	}
	l.refs++
	k.mu.Unlock()
	select {
	case l.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		k.drop(key, l)
		return ctx.Err()
	}
}

// Unlock gives key to the next one.
func (k *keyed) Unlock(key string) {
	k.mu.Lock()
	l := k.locks[key]
	k.mu.Unlock()
	<-l.held
	k.drop(key, l)
}

func (k *keyed) drop(key string, l *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.refs--; l.refs == 0 {
		delete(k.locks, key)
	}
}
