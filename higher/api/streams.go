package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types"
	"golang.org/x/net/websocket"
)

func (s *Server) streamRoutes() {
	s.handle("POST", "/containers/{}/attach", s.containerAttach)
	s.handle("GET", "/containers/{}/attach/ws", s.containerAttachWS)
	s.handle("GET", "/containers/{}/logs", s.containerLogs)
	s.handle("POST", "/containers/{}/resize", s.containerResize)
}

func (r *request) attachOptions() AttachOptions {
	return AttachOptions{
		Stream: r.flag("stream"), Logs: r.flag("logs"),
		Stdin: r.flag("stdin"), Stdout: r.flag("stdout"), Stderr: r.flag("stderr"),
		DetachKeys: r.get("detachKeys"),
	}
}

func (s *Server) containerAttach(w http.ResponseWriter, r *request) error {
	return s.hijacked(w, r, func(st Streams) error {
		return s.Backend.ContainerAttach(r.Context(), r.name, r.attachOptions(), st)
	})
}

// hijacked runs f with streams over the client's connection, taken over when f asks for it. An error from before is
// answered as any other; one from after is only logged, as there is no place for it in the stream.
func (s *Server) hijacked(w http.ResponseWriter, r *request, f func(Streams) error) error {
	var conn io.Closer
	err := f(Streams{Hijack: func(multiplexed bool) (io.ReadWriteCloser, error) {
		c, err := hijack(w, r, multiplexed)
		conn = c
		return c, err
	}})
	if conn == nil {
		return err
	}
	if err != nil {
		s.Log.Debug("stream ended", "path", r.URL.Path, "error", err)
	}
	_ = conn.Close()
	return nil
}

// hijack takes over a connection and answers 101 to a client that asked for an upgrade, 200 to one that did not.
func hijack(w http.ResponseWriter, r *request, multiplexed bool) (io.ReadWriteCloser, error) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, Errorf(errdefs.ErrInvalidArgument, "cannot take over the connection: %v", err)
	}
	media := types.MediaTypeRawStream
	if multiplexed && r.version >= 42 {
		media = types.MediaTypeMultiplexedStream
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + types.MediaTypeRawStream + "\r\n\r\n"
	if r.Header.Get("Upgrade") != "" {
		head = fmt.Sprintf("HTTP/1.1 101 UPGRADED\r\nContent-Type: %s\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n", media)
	}
	if _, err := io.WriteString(conn, head); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &hijackedConn{Conn: conn, r: buffered.Reader}, nil
}

// hijackedConn is a connection of which some input was read ahead.
type hijackedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c *hijackedConn) Read(p []byte) (int, error) {
	if c.r != nil {
		if c.r.Buffered() > 0 {
			return c.r.Read(p)
		}
		c.r = nil
	}
	return c.Conn.Read(p)
}

// Socket is the connection itself, for who serves it from now on, and what has been read ahead of it.
func (c *hijackedConn) Socket() (conn net.Conn, ahead []byte) {
	if c.r != nil {
		ahead, _ = c.r.Peek(c.r.Buffered()) // does not fail for what is there
		c.r = nil
	}
	return c.Conn, ahead
}

// CloseWrite ends the output while input goes on.
func (c *hijackedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Conn.Close()
}

func (s *Server) containerAttachWS(w http.ResponseWriter, r *request) error {
	o := r.attachOptions()
	o.Stream = o.Stream || !r.URL.Query().Has("stream")
	if r.version < 42 {
		o.Stdin, o.Stdout, o.Stderr = true, true, true
	}
	taken, done := make(chan *websocket.Conn), make(chan struct{})
	defer close(done)
	started := false
	err := s.Backend.ContainerAttach(r.Context(), r.name, o, Streams{Hijack: func(bool) (io.ReadWriteCloser, error) {
		started = true
		ended := make(chan struct{})
		server := websocket.Server{Handler: func(c *websocket.Conn) {
			c.PayloadType = websocket.BinaryFrame
			taken <- c
			<-done
		}}
		go func() {
			server.ServeHTTP(w, r.Request)
			close(ended)
		}()
		select {
		case c := <-taken:
			return rawFrames{c}, nil
		case <-ended:
			return nil, io.ErrUnexpectedEOF // the handshake failed and was answered
		}
	}})
	if started {
		return nil
	}
	return err
}

// rawFrames marks a connection that carries output without the frames of stdcopy: a web socket has none for any
// container.
type rawFrames struct{ *websocket.Conn }

// Raw says so to a Backend.
func (rawFrames) Raw() {}

// IsRaw says whether output to a client is written without frames even for a container without a terminal.
func IsRaw(client any) bool {
	_, raw := client.(interface{ Raw() })
	return raw
}

func (s *Server) containerLogs(w http.ResponseWriter, r *request) error {
	o := LogsOptions{
		Stdout: r.flag("stdout"), Stderr: r.flag("stderr"), Follow: r.flag("follow"),
		Timestamps: r.flag("timestamps"), Details: r.flag("details"),
	}
	if !o.Stdout && !o.Stderr {
		return invalidf("Bad parameters: you must choose at least one stream")
	}
	var err error
	if o.Since, err = r.moment("since"); err != nil {
		return err
	}
	if o.Until, err = r.moment("until"); err != nil {
		return err
	}
	o.Tail = -1
	if tail := r.get("tail"); tail != "" && tail != "all" {
		if n, err := r.number("tail", -1); err == nil && n >= 0 {
			o.Tail = n
		}
	}
	started := false
	err = s.Backend.ContainerLogs(r.Context(), r.name, o, Streams{Hijack: func(multiplexed bool) (io.ReadWriteCloser, error) {
		started = true
		media := types.MediaTypeRawStream
		if multiplexed && r.version >= 42 {
			media = types.MediaTypeMultiplexedStream
		}
		w.Header().Set("Content-Type", media)
		w.WriteHeader(http.StatusOK)
		f := &flushed{w: w, control: http.NewResponseController(w)}
		return f, f.control.Flush()
	}})
	if started {
		if err != nil {
			s.Log.Debug("logs ended", "container", r.name, "error", err)
		}
		return nil
	}
	return err
}

// flushed is the output of an answer that goes out as it is written.
type flushed struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (f *flushed) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if err == nil {
		err = f.control.Flush()
	}
	return n, err
}

func (f *flushed) Read([]byte) (int, error) { return 0, io.EOF }
func (f *flushed) Close() error             { return nil }

func (s *Server) containerResize(w http.ResponseWriter, r *request) error {
	h, err := r.size("h")
	if err != nil {
		return err
	}
	width, err := r.size("w")
	if err != nil {
		return err
	}
	return empty(w, http.StatusOK, s.Backend.ContainerResize(r.Context(), r.name, h, width))
}
