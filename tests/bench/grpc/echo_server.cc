/*
 * Echo, gRPC C++: the server
 *
 *      bench-echo-grpc-server URL [callback|queue]
 *
 * callback: the callback API. queue: the asynchronous API, a completion queue and
 * a thread a processor. Defaults are gRPC's.
 */

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "echo.grpc.pb.h"
#include "target.h"

namespace
{

constexpr int kWaitingPerQueue = 256;

void answer(const echo::v1::EchoRequest &request, echo::v1::EchoResponse *response)
{
        response->set_text(request.text());
        response->set_number(request.number());
        response->set_data(request.data());
}

class CallbackService final : public echo::v1::EchoService::CallbackService
{
        grpc::ServerUnaryReactor *Echo(grpc::CallbackServerContext *context,
                                       const echo::v1::EchoRequest *request,
                                       echo::v1::EchoResponse *response) override
        {
                grpc::ServerUnaryReactor *reactor = context->DefaultReactor();

                answer(*request, response);
                reactor->Finish(grpc::Status::OK);

                return reactor;
        }
};

/* One call of the asynchronous API: waits for a request, answers, is made anew. */
class QueuedCall
{
      public:
        QueuedCall(echo::v1::EchoService::AsyncService *service, grpc::ServerCompletionQueue *queue)
            : service_(service), queue_(queue), writer_(&context_)
        {
                service_->RequestEcho(&context_, &request_, &writer_, queue_, queue_, this);
        }

        void proceed(bool ok)
        {
                if (!ok || answered_) {
                        delete this;
                        return;
                }
                new QueuedCall(service_, queue_);
                answer(request_, &response_);
                answered_ = true;
                writer_.Finish(response_, grpc::Status::OK, this);
        }

      private:
        echo::v1::EchoService::AsyncService *service_;
        grpc::ServerCompletionQueue *queue_;
        grpc::ServerContext context_;
        echo::v1::EchoRequest request_;
        echo::v1::EchoResponse response_;
        grpc::ServerAsyncResponseWriter<echo::v1::EchoResponse> writer_;
        bool answered_ = false;
};

void queue_run(grpc::ServerCompletionQueue *queue)
{
        void *tag;
        bool ok;

        while (queue->Next(&tag, &ok))
                static_cast<QueuedCall *>(tag)->proceed(ok);
}

} // namespace

int main(int argc, char **argv)
{
        const std::string url = argc > 1 ? argv[1] : "";
        const std::string kind = argc > 2 ? argv[2] : "callback";
        echo::v1::EchoService::AsyncService asynchronous;
        CallbackService callback;
        std::vector<std::unique_ptr<grpc::ServerCompletionQueue>> queues;
        std::vector<std::thread> threads;
        grpc::ServerBuilder builder;
        int port = 0;

        builder.AddListeningPort(grpc_target(url), grpc::InsecureServerCredentials(), &port);
        if (kind == "callback")
                builder.RegisterService(&callback);
        if (kind == "queue") {
                builder.RegisterService(&asynchronous);
                for (unsigned int i = 0; i < std::thread::hardware_concurrency(); i++)
                        queues.push_back(builder.AddCompletionQueue());
        }
        std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
        if (!server || port == 0) {
                std::fprintf(stderr, "%s: cannot be listened on\n", url.c_str());
                return 1;
        }
        for (auto &queue : queues) {
                for (int i = 0; i < kWaitingPerQueue; i++)
                        new QueuedCall(&asynchronous, queue.get());
                threads.emplace_back(queue_run, queue.get());
        }
        if (url.rfind("tcp://", 0) == 0)
                std::printf("listening on tcp://127.0.0.1:%d\n", port);
        else
                std::printf("listening on %s\n", url.c_str());
        std::fflush(stdout);
        pause(); /* until the signal that ends it */
}
