package dns

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// idle is how long a TCP connection is kept without a query, RFC 7766 section 6.2.3.
const idle = 10 * time.Second

// parallel bounds the queries of one container that wait for servers.
const parallel = 256

// A Server answers on two sockets.
type Server struct {
	zone    Zone
	servers []Upstream
	udp     *net.UDPConn
	tcp     *net.TCPListener
	waiting chan struct{}

	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// Serve answers what comes over udp and tcp, with z and what the servers say, until Close.
func Serve(z Zone, servers []Upstream, udp *net.UDPConn, tcp *net.TCPListener) *Server {
	s := &Server{zone: z, servers: servers, udp: udp, tcp: tcp, waiting: make(chan struct{}, parallel), conns: map[net.Conn]bool{}}
	go s.datagrams()
	go s.connections()
	return s
}

// Close closes the sockets. It does not wait for queries that are being forwarded.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.udp.Close()
	s.tcp.Close()
	for c := range s.conns {
		c.Close()
	}
}

func (s *Server) datagrams() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		out, err := answer(s.zone, buf[:n], true)
		if errors.Is(err, errForward) {
			query := append([]byte(nil), buf[:n]...)
			s.later(query, "udp", func(out []byte) {
				if out != nil {
					s.udp.WriteToUDPAddrPort(out, from)
				}
			})
		} else if err == nil {
			s.udp.WriteToUDPAddrPort(out, from)
		}
	}
}

// later forwards a query on a goroutine of its own; a client with too many of them gets a failure. reply is called once,
// with nil if there is nothing to say.
func (s *Server) later(query []byte, proto string, reply func([]byte)) {
	select {
	case s.waiting <- struct{}{}:
	default:
		out, _ := failure(query, dnsmessage.RCodeServerFailure)
		reply(out)
		return
	}
	go func() {
		defer func() { <-s.waiting }()
		out, _ := forward(s.servers, query, proto)
		reply(out)
	}()
}

func (s *Server) connections() {
	for {
		c, err := s.tcp.AcceptTCP()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			<-time.After(10 * time.Millisecond) // no descriptors are left: there is no event to wait for
			continue
		}
		go s.connection(c)
	}
}

// connection answers the queries of one client in turn; those that are forwarded as their answers come.
func (s *Server) connection(c net.Conn) {
	s.mu.Lock()
	s.conns[c] = true
	closed := s.closed
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
		c.Close()
	}()
	var mu sync.Mutex
	reply := func(out []byte) {
		mu.Lock()
		defer mu.Unlock()
		writeMessage(c, out)
	}
	var pending sync.WaitGroup
	defer pending.Wait()
	for !closed {
		c.SetReadDeadline(time.Now().Add(idle))
		query, err := readMessage(c)
		if err != nil {
			return
		}
		out, err := answer(s.zone, query, false)
		switch {
		case errors.Is(err, errForward):
			pending.Add(1)
			s.later(query, "tcp", func(out []byte) {
				defer pending.Done()
				if out != nil {
					reply(out)
				}
			})
		case err == nil:
			reply(out)
		default:
			return
		}
	}
}

// readMessage and writeMessage: over TCP a length of two bytes comes first, RFC 1035 section 4.2.2.
func readMessage(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	m := make([]byte, binary.BigEndian.Uint16(length[:]))
	_, err := io.ReadFull(r, m)
	return m, err
}

func writeMessage(w io.Writer, m []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	return err
}

// Upstream is a server that queries are forwarded to.
type Upstream struct {
	Addr netip.AddrPort
	Dial func(proto string, addr netip.AddrPort, timeout time.Duration) (net.Conn, error) // nil for the daemon's own network namespace
}
