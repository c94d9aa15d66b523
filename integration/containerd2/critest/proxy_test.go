package critest

import (
	"context"
	"io"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/protobuf/proto"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// proxy answers RuntimeConfig in the place of containerd 1.6, which does not know it, and hands all else on: critest takes a runtime that
// does not say what it has for one under systemd.
type proxy struct {
	containerd *grpc.ClientConn
}

// newProxy serves on socket what containerd serves on behind.
func newProxy(t *testing.T, socket, behind string) {
	t.Helper()
	conn, err := grpc.NewClient("unix://"+behind, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	listener, err := net.Listen("unix", socket)
	must(t, err)
	p := &proxy{conn}
	server := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.UnknownServiceHandler(p.handle), grpc.MaxRecvMsgSize(16<<20))
	go server.Serve(listener)
	t.Cleanup(func() { server.Stop(); conn.Close() })
}

func (p *proxy) handle(_ any, client grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(client)
	if method == cri.RuntimeService_RuntimeConfig_FullMethodName {
		answer, err := proto.Marshal(&cri.RuntimeConfigResponse{Linux: &cri.LinuxRuntimeConfiguration{CgroupDriver: cri.CgroupDriver_CGROUPFS}})
		if err != nil {
			return err
		}
		return client.SendMsg(&answer)
	}
	ctx, cancel := context.WithCancel(client.Context())
	defer cancel()
	stream, err := p.containerd.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, method, grpc.ForceCodec(bytesCodec{}))
	if err != nil {
		return err
	}
	var request []byte // calls of CRI have one
	if err := client.RecvMsg(&request); err != nil {
		return err
	}
	if err := stream.SendMsg(&request); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	for {
		var answer []byte
		if err := stream.RecvMsg(&answer); err != nil {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if err := client.SendMsg(&answer); err != nil {
			return err
		}
	}
}

// bytesCodec leaves messages as they are.
type bytesCodec struct{}

var _ encoding.Codec = bytesCodec{}

func (bytesCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (bytesCodec) Name() string { return "proto" }
