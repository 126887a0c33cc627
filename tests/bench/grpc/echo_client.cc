/*
 * Echo, gRPC C++: the client
 *
 * --variant says with which API: callback, or queue (a completion queue and a
 * thread a processor). --connections are channels with a connection each. What is
 * measured by `blocking` is the blocking stub. Defaults are gRPC's.
 */

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "echo.grpc.pb.h"
#include "target.h"
#include "tests/bench/bench.h"

namespace
{

struct Channel {
        std::shared_ptr<grpc::Channel> channel;
        std::unique_ptr<echo::v1::EchoService::Stub> stub;
};

bench_echo payload;
bool use_queues;
std::vector<Channel> channels;
std::vector<std::unique_ptr<grpc::CompletionQueue>> queues;
std::vector<std::thread> threads;

class Caller
{
      public:
        explicit Caller(bench_slot *slot)
            : slot_(slot), stub_(channels[slot->index % channels.size()].stub.get())
        {
        }

        void start()
        {
                prepare();
                if (use_queues) {
                        reader_ = stub_->AsyncEcho(
                                &*context_, request_, queues[slot_->index % queues.size()].get());
                        reader_->Finish(&response_, &status_, this);
                        return;
                }
                stub_->async()->Echo(
                        &*context_, &request_, &response_, [this](grpc::Status status) {
                                status_ = std::move(status);
                                done();
                        });
        }

        bool call()
        {
                prepare();
                status_ = stub_->Echo(&*context_, request_, &response_);

                return is_right();
        }

        void done()
        {
                bench_done(slot_, is_right());
        }

      private:
        void prepare()
        {
                context_.emplace(); /* one is good for one call */
                request_.set_text(payload.text);
                request_.set_number(payload.number);
                request_.set_data(payload.data, payload.n_data);
        }

        bool is_right() const
        {
                return status_.ok() &&
                       bench_echo_is(&payload,
                                     response_.text().c_str(),
                                     response_.number(),
                                     reinterpret_cast<const uint8_t *>(response_.data().data()),
                                     response_.data().size());
        }

        bench_slot *slot_;
        echo::v1::EchoService::Stub *stub_;
        std::optional<grpc::ClientContext> context_;
        echo::v1::EchoRequest request_;
        echo::v1::EchoResponse response_;
        grpc::Status status_;
        std::unique_ptr<grpc::ClientAsyncResponseReader<echo::v1::EchoResponse>> reader_;
};

void queue_run(grpc::CompletionQueue *queue)
{
        void *tag;
        bool ok;

        while (queue->Next(&tag, &ok))
                static_cast<Caller *>(tag)->done();
}

/* Connected when this returns. Without a pool of its own a channel would share a connection. */
Channel connect(const bench_options *options, int index)
{
        grpc::ChannelArguments arguments;
        Channel channel;

        if (options->n_connections > 1)
                arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
        arguments.SetInt("bench.index", index);
        channel.channel = grpc::CreateCustomChannel(
                grpc_target(options->url), grpc::InsecureChannelCredentials(), arguments);
        if (!channel.channel->WaitForConnected(std::chrono::system_clock::now() +
                                               std::chrono::seconds(30))) {
                std::fprintf(stderr, "%s: no connection\n", options->url);
                std::exit(1);
        }
        channel.stub = echo::v1::EchoService::NewStub(channel.channel);

        return channel;
}

void client_open(const bench_options *options)
{
        payload = bench_echo_make(options->n_bytes);
        use_queues = std::string(options->variant) == "queue";
        for (size_t i = 0; i < options->n_connections; i++)
                channels.push_back(connect(options, static_cast<int>(i)));
        for (unsigned int i = 0; use_queues && i < std::thread::hardware_concurrency(); i++) {
                queues.push_back(std::make_unique<grpc::CompletionQueue>());
                threads.emplace_back(queue_run, queues.back().get());
        }
}

void client_close()
{
        for (auto &queue : queues)
                queue->Shutdown();
        for (auto &thread : threads)
                thread.join();
        channels.clear();
}

void *caller_new(bench_slot *slot)
{
        return new Caller(slot);
}

void caller_start(bench_slot *slot)
{
        static_cast<Caller *>(slot->contestant)->start();
}

bool caller_call(bench_slot *slot)
{
        return static_cast<Caller *>(slot->contestant)->call();
}

void caller_free(bench_slot *slot)
{
        delete static_cast<Caller *>(slot->contestant);
}

} // namespace

int main(int argc, char **argv)
{
        static const bench_contestant contestant = {
                "grpc",
                client_open,
                caller_new,
                caller_start,
                caller_call,
                caller_free,
                client_close,
        };

        return bench_main(&contestant, argc, argv);
}
